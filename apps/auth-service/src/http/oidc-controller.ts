import { ChatError, type SignInWays } from '@chat-realtime/protocol';
import { Public } from '@chat-realtime/service-kit';
import { Controller, Get, Header, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AuthService, SignedIn } from '../auth-service.ts';
import { FLOW_COOKIE, FLOW_SECONDS, readCookie, setCookie, TICKET_COOKIE } from '../oidc/flow-cookie.ts';
import { OidcError } from '../oidc/provider.ts';
import type { OidcSignIn } from '../oidc/sign-in.ts';
import { AUTH_SERVICE } from './auth-controller.ts';
import { publicOrigin } from './public-origin.ts';

const TICKET_COOKIE_SECONDS = 60;
const CALLBACK = '/auth/oidc/callback';

/** Back to the console, with the outcome in the fragment: no server and no log is told of it. */
const consoleWith = (prefix: string, outcome: string): string => `${prefix}/operator/#oidc=${outcome}`;

/** Sign-in by an identity provider: browsers come here, and the console ends what they began. */
@Controller('auth')
export class OidcController {
  readonly #auth: AuthService;

  constructor(@Inject(AUTH_SERVICE) auth: AuthService) {
    this.#auth = auth;
  }

  @Get('sign-in')
  @Public('the sign-in page asks before anybody is signed in')
  @Header('cache-control', 'no-store')
  ways(): SignInWays {
    const { oidc } = this.#auth;
    return { oidc: oidc === null ? null : { name: oidc.name, url: `${this.#auth.prefix}/auth/oidc/login` } };
  }

  @Get('oidc/login')
  @Public('the provider asks for the credentials')
  @Header('cache-control', 'no-store')
  async login(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const oidc = this.#oidc();
    const origin = publicOrigin(request, this.#auth.publicUrl);
    const { prefix } = this.#auth;
    try {
      const { url, cookie } = await oidc.begin(`${origin}${prefix}${CALLBACK}`);
      const secure = origin.startsWith('https:');
      reply.header(
        'set-cookie',
        setCookie(FLOW_COOKIE, cookie, { prefix, maxAge: FLOW_SECONDS, sameSite: 'Lax', secure }),
      );
      await reply.redirect(url, 302);
    } catch (error) {
      if (!(error instanceof OidcError)) throw error;
      await reply.redirect(consoleWith(prefix, error.code), 302);
    }
  }

  @Get('oidc/callback')
  @Public('the code of the provider and the cookie of the browser are the credentials')
  @Header('cache-control', 'no-store')
  async callback(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const query = request.url.slice(request.url.indexOf('?') + 1);
    const outcome = await this.#oidc().finish(query, readCookie(request.headers.cookie, FLOW_COOKIE));
    const secure = publicOrigin(request, this.#auth.publicUrl).startsWith('https:');
    const { prefix } = this.#auth;
    const cookies = [setCookie(FLOW_COOKIE, '', { prefix, maxAge: 0, sameSite: 'Lax', secure })];
    if (outcome.kind === 'ticket') {
      const settings = { prefix, maxAge: TICKET_COOKIE_SECONDS, sameSite: 'Strict', secure } as const;
      cookies.push(setCookie(TICKET_COOKIE, outcome.ticket, settings));
    }
    reply.header('set-cookie', cookies);
    await reply.redirect(consoleWith(prefix, outcome.kind === 'ticket' ? 'done' : outcome.reason), 302);
  }

  @Post('oidc/token')
  @Public('the ticket in the cookie is the credential')
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  async token(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<SignedIn> {
    this.#oidc();
    const ticket = readCookie(request.headers.cookie, TICKET_COOKIE);
    const secure = publicOrigin(request, this.#auth.publicUrl).startsWith('https:');
    reply.header(
      'set-cookie',
      setCookie(TICKET_COOKIE, '', { prefix: this.#auth.prefix, maxAge: 0, sameSite: 'Strict', secure }),
    );
    if (ticket === undefined) throw new ChatError('bad_credentials', 'this browser does not come from the provider');
    return this.#auth.loginByTicket(ticket);
  }

  #oidc(): OidcSignIn {
    const { oidc } = this.#auth;
    if (oidc === null) throw new ChatError('not_found', 'no identity provider is set up (OIDC_ISSUER)');
    return oidc;
  }
}
