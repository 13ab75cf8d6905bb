import { Controller, Get, Param, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { TallyError } from '../kernel/errors.js';
import { ConsoleFiles } from './console-files.js';
import { sendConsoleFile } from './send-console-file.js';

/** The web console, open to anyone: it holds nothing until somebody gives it a key. */
@Controller()
export class ConsoleController {
  constructor(private readonly files: ConsoleFiles) {}

  @Get()
  page(@Res() reply: FastifyReply): void {
    sendConsoleFile(reply, this.files.find('index.html'));
  }

  @Get('favicon.svg')
  icon(@Res() reply: FastifyReply): void {
    sendConsoleFile(reply, this.files.find('favicon.svg'));
  }

  @Get('assets/:name')
  asset(@Param('name') name: string, @Res() reply: FastifyReply): void {
    sendConsoleFile(reply, this.files.find(`assets/${name}`));
  }

  /** After everything else: a place in the console for a browser, nothing for anybody else. */
  @Get('*')
  elsewhere(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    const isPage = /\btext\/html\b/.test(request.headers.accept ?? '') && !OF_OTHERS.test(request.url);
    if (!isPage) throw new TallyError('NOT_FOUND', 'there is nothing at this path');
    const depth = (request.url.split('?')[0] ?? '').split('/').length - 2;
    sendConsoleFile(reply, this.files.page(depth));
  }
}

/** What has a contract of its own is not there for a browser either where it is not there. */
const OF_OTHERS = /^\/(?:graphql|recordings|livekit|health|metrics|admin|s|assets)(?:[/?]|$)/;
