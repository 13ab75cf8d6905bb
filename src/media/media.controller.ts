import { Controller, Get, Head, Param, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { MediaAnswer } from './media-answer.js';
import { MediaDoor } from './door.js';

@Controller('recordings')
export class MediaController {
  constructor(
    private readonly door: MediaDoor,
    private readonly media: MediaAnswer,
  ) {}

  // Declared before GET: the one that Fastify would add by itself reads the whole body to throw it away.
  @Head(':id/media')
  async head(
    @Param('id') id: string,
    @Query('token') token: unknown,
    @Query('download') download: unknown,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { recording, openForMs } = await this.door.one(id, token, request);
    await this.media.send(recording, { download: download === '1', addressForMs: openForMs }, request, reply);
  }

  @Get(':id/media')
  async get(
    @Param('id') id: string,
    @Query('token') token: unknown,
    @Query('download') download: unknown,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { recording, openForMs } = await this.door.one(id, token, request);
    await this.media.send(recording, { download: download === '1', addressForMs: openForMs }, request, reply);
  }
}
