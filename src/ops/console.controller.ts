import { Controller, Get, Param, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
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
}
