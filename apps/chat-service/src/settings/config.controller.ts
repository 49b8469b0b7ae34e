import { Public } from '@chat-realtime/service-kit';
import { Controller, Get, Headers, Inject, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { WidgetConfigSource } from './widget-config-source.ts';
import { WIDGET_CONFIG } from '../http/injection.ts';

/** Whether `If-None-Match` names this version; a proxy that compressed the answer made the tag weak. */
function isKnown(header: string | undefined, etag: string): boolean {
  return (header ?? '').split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag || tag.trim() === '*');
}

@Controller('chat/config')
export class ConfigController {
  readonly #source: WidgetConfigSource;

  constructor(@Inject(WIDGET_CONFIG) source: WidgetConfigSource) {
    this.#source = source;
  }

  @Get()
  @Public('what the widget shows before a chat')
  async config(@Headers('if-none-match') known: string | undefined, @Res() reply: FastifyReply): Promise<void> {
    const config = await this.#source.current();
    void reply.header('etag', config.etag).header('cache-control', `public, max-age=${config.maxAgeSeconds}`);
    if (isKnown(known, config.etag)) await reply.code(304).send();
    else await reply.type('application/json; charset=utf-8').send(config.json);
  }
}
