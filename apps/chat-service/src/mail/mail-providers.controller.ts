import type { MailInboundResponse } from '@chat-realtime/protocol';
import { ClientIp, Public, RawBody, rateLimitKey } from '@chat-realtime/service-kit';
import { Controller, Headers, HttpCode, Inject, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Mail } from './mail.ts';
import { SNS_MAX_BYTES } from './providers/ses.ts';
import { MAIL } from '../http/injection.ts';

/** Mail that a provider received for us and brings by its webhook. */
@Controller('chat/mail/inbound')
export class MailProvidersController {
  readonly #mail: Mail;

  constructor(@Inject(MAIL) mail: Mail) {
    this.#mail = mail;
  }

  @Post('mailgun')
  @Public('the form is signed by the signing key of Mailgun')
  @RawBody()
  @HttpCode(200)
  mailgun(
    @Headers('content-type') contentType: string | undefined,
    @ClientIp() ip: string,
    @Req() request: FastifyRequest,
  ): Promise<MailInboundResponse> {
    return drained(request, async () => {
      this.#mail.providers.mailgun.requireKey();
      const body = await this.#mail.bodies.read(request.raw, rateLimitKey(ip));
      return this.#mail.providers.mailgun.take(contentType, body);
    });
  }

  @Post('postmark')
  @Public('user and password of the address that Postmark was given')
  @RawBody()
  @HttpCode(200)
  postmark(
    @Headers('authorization') authorization: string | undefined,
    @ClientIp() ip: string,
    @Req() request: FastifyRequest,
  ): Promise<MailInboundResponse> {
    return drained(request, async () => {
      const address = rateLimitKey(ip);
      await this.#mail.providers.postmark.authorize(authorization, address);
      return this.#mail.providers.postmark.take(await this.#mail.bodies.read(request.raw, address));
    });
  }

  @Post('ses')
  @Public('the notification is signed by Amazon SNS')
  @RawBody()
  @HttpCode(200)
  ses(@ClientIp() ip: string, @Req() request: FastifyRequest): Promise<MailInboundResponse> {
    return drained(request, async () => {
      this.#mail.providers.ses.requireTopic();
      return this.#mail.providers.ses.take(await this.#mail.bodies.read(request.raw, rateLimitKey(ip), SNS_MAX_BYTES));
    });
  }
}

/** What a refused mail still sends must flow away, or the sender never reads why. */
async function drained<T>(request: FastifyRequest, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    request.raw.resume();
  }
}
