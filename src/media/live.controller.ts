import { Controller, Get, Head, Param, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { MediaDoor } from './door.js';
import { LiveAnswer } from './live-answer.js';

/** A recording while it is made: its live playlist, and the segments that this names. Who may have them is as for its media. */
@Controller('recordings')
export class LiveController {
  constructor(
    private readonly door: MediaDoor,
    private readonly live: LiveAnswer,
  ) {}

  @Head(':id/live.m3u8')
  headPlaylist(
    @Param('id') id: string,
    @Query('token') token: unknown,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    return this.playlist(id, token, request, reply);
  }

  @Get(':id/live.m3u8')
  async playlist(
    @Param('id') id: string,
    @Query('token') token: unknown,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { recording } = await this.door.one(id, token, request);
    await this.live.playlist(recording, typeof token === 'string' ? token : null, reply);
  }

  @Head(':id/segments/:name')
  headSegment(
    @Param('id') id: string,
    @Param('name') name: string,
    @Query('token') token: unknown,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    return this.segment(id, name, token, request, reply);
  }

  @Get(':id/segments/:name')
  async segment(
    @Param('id') id: string,
    @Param('name') name: string,
    @Query('token') token: unknown,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { recording } = await this.door.one(id, token, request);
    await this.live.segment(recording, name, request.method, reply);
  }
}
