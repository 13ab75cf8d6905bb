import { Controller, Get, Head, Param, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Credentials } from '../../auth/credentials.js';
import { isTallyError, TallyError } from '../../kernel/errors.js';
import { MediaAnswer } from '../../media/media-answer.js';
import { type Opened, OpenShareLink } from '../use-cases/open-share-link.js';
import { awayPage, overPage, PAGE_POLICY, sharePage } from './share-page.js';

/** What the holder of a share link sees. Its token is in the path, so the path is in no log. */
@Controller('s')
export class SharePageController {
  constructor(
    private readonly links: OpenShareLink,
    private readonly media: MediaAnswer,
    private readonly credentials: Credentials,
  ) {}

  // Declared before GET: the one that Fastify would add by itself would count.
  @Head(':token')
  async head(
    @Param('token') token: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.show(token, () => this.links.look(token), request, reply);
  }

  @Get(':token')
  async page(
    @Param('token') token: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.show(token, () => this.links.visit(token), request, reply);
  }

  @Head(':token/media')
  async mediaHead(
    @Param('token') token: string,
    @Query('download') download: unknown,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.play(token, download === '1', request, reply);
  }

  @Get(':token/media')
  async mediaGet(
    @Param('token') token: string,
    @Query('download') download: unknown,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.play(token, download === '1', request, reply);
  }

  private async show(
    token: string,
    open: () => Promise<Opened>,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<void> {
    hide(reply)
      .header('content-security-policy', PAGE_POLICY)
      .header('cache-control', 'no-store')
      .type('text/html; charset=utf-8');
    try {
      const opened = await this.counted(token, open, request);
      if (opened.kind === 'open') await reply.send(sharePage(token, opened.link, opened.recording));
      else await reply.status(opened.kind === 'unknown' ? 404 : 410).send(overPage());
    } catch (error) {
      if (!isTallyError(error)) throw error;
      const limited = isTallyError(error, 'RATE_LIMITED');
      const retryAfter = String(error.subject.retryAfter ?? 5);
      await reply
        .status(limited ? 429 : 503)
        .header('retry-after', retryAfter)
        .send(awayPage());
    }
  }

  /** Throws RATE_LIMITED: a link is a credential like any other, and one that never was is a wrong one. */
  private async counted(token: string, open: () => Promise<Opened>, { ip }: FastifyRequest): Promise<Opened> {
    await this.credentials.countHolder(`link ${token}`);
    const opened = await open();
    if (opened.kind === 'unknown') await this.credentials.countWrong(ip);
    return opened;
  }

  private async play(
    token: string,
    download: boolean,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<void> {
    hide(reply);
    const opened = await this.counted(token, () => this.links.media(token), request);
    if (opened.kind === 'unknown') {
      throw new TallyError(
        'SHARE_LINK_NOT_FOUND',
        'this share link is unknown; ask whoever sent it for a new one',
      );
    }
    if (opened.kind === 'over') {
      throw new TallyError('MEDIA_GONE', 'this share link has ended; ask whoever sent it for a new one');
    }
    if (download && !opened.link.allowDownload) {
      throw new TallyError('FORBIDDEN', 'this share link shows the recording and does not give it away');
    }
    // An address of the bucket could not be revoked with the link.
    await this.media.send(opened.recording, { download, addressForMs: null }, request, reply);
  }
}

function hide(reply: FastifyReply): FastifyReply {
  return reply.header('x-robots-tag', 'noindex, nofollow').header('referrer-policy', 'no-referrer');
}
