import { identityLogoutRequestSchema, identityRequestSchema } from '@chat-realtime/protocol';
import { Public } from '@chat-realtime/service-kit';
import { Body, Controller, HttpCode, Inject, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import type { Identity } from './identity.ts';
import type { RevocationRefresher } from '../tokens/revocation-refresher.ts';
import { IDENTITY, REVOCATIONS } from '../http/injection.ts';

@Controller('chat/identity')
export class IdentityController {
  readonly #identity: Identity;
  readonly #revocations: RevocationRefresher;

  constructor(@Inject(IDENTITY) identity: Identity, @Inject(REVOCATIONS) revocations: RevocationRefresher) {
    this.#identity = identity;
    this.#revocations = revocations;
  }

  @Post()
  @Public('the identity token stands in the body')
  @HttpCode(200)
  identify(
    @Body({ schema: identityRequestSchema }) body: z.infer<typeof identityRequestSchema>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    void reply.header('cache-control', 'no-store');
    return this.#identity.identify({
      identityToken: body.identity_token,
      token: body.token,
      sessionId: body.session_id,
    });
  }

  @Post('logout')
  @Public('the identity token stands in the body')
  @HttpCode(204)
  async logout(
    @Body({ schema: identityLogoutRequestSchema }) body: z.infer<typeof identityLogoutRequestSchema>,
  ): Promise<void> {
    await this.#identity.logout(body.identity_token);
    await this.#revocations.refresh();
  }
}
