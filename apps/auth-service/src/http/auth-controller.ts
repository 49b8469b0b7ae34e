import {
  acceptInviteRequestSchema,
  ChatError,
  inviteRequestSchema,
  type inviteResponseSchema,
  loginRequestSchema,
  logoutRequestSchema,
  type OwnAccount,
  refreshRequestSchema,
} from '@chat-realtime/protocol';
import { ClientIp, Principal, Public, RequireStaff } from '@chat-realtime/service-kit';
import { Body, Controller, Get, Header, HttpCode, Inject, Post } from '@nestjs/common';
import type { JSONWebKeySet } from 'jose';
import type { z } from 'zod';
import type { AuthService, SignedIn } from '../auth-service.ts';
import type { AuthUser } from '../domain/operator.ts';

export const AUTH_SERVICE = Symbol('AuthService');

type LoginRequest = z.infer<typeof loginRequestSchema>;
type RefreshRequest = z.infer<typeof refreshRequestSchema>;
type InviteRequest = z.infer<typeof inviteRequestSchema>;
type AcceptInviteRequest = z.infer<typeof acceptInviteRequestSchema>;
type LogoutRequest = z.infer<typeof logoutRequestSchema>;

@Controller()
export class AuthController {
  readonly #auth: AuthService;

  constructor(@Inject(AUTH_SERVICE) auth: AuthService) {
    this.#auth = auth;
  }

  @Post('auth/login')
  @Public('login and password are the credentials')
  @HttpCode(200)
  login(
    @Body({ schema: loginRequestSchema }) { login, password, code }: LoginRequest,
    @ClientIp() clientIp: string,
  ): Promise<SignedIn> {
    return this.#auth.login(login, password, clientIp, code);
  }

  @Post('auth/refresh')
  @Public('the refresh token is the credential')
  @HttpCode(200)
  refresh(@Body({ schema: refreshRequestSchema }) { refresh_token }: RefreshRequest): Promise<SignedIn> {
    return this.#auth.refresh(refresh_token);
  }

  /** The access token names the sign-in that ends, so the refresh token in the body adds nothing and is not needed. */
  @Post('auth/logout')
  @RequireStaff()
  @HttpCode(204)
  async logout(
    @Principal() principal: Principal,
    @Body({ schema: logoutRequestSchema }) _request: LogoutRequest,
  ): Promise<void> {
    if (principal.kind !== 'staff' || principal.loginId === null)
      throw new ChatError('bad_token', 'the token names no sign-in');
    await this.#auth.logout(principal.loginId);
  }

  @Get('auth/me')
  @RequireStaff()
  me(@Principal() principal: Principal): Promise<OwnAccount> {
    if (principal.kind !== 'staff') throw new ChatError('bad_token', 'not a token of staff');
    return this.#auth.user(principal.userId);
  }

  @Post('auth/invite')
  @Public('the key of the link is the credential')
  @HttpCode(200)
  async readInvite(
    @Body({ schema: inviteRequestSchema }) { key }: InviteRequest,
  ): Promise<z.infer<typeof inviteResponseSchema>> {
    const invite = await this.#auth.invites.read(key);
    const expires_at = invite.expiresAt.toISOString();
    if (invite.kind === 'first_admin') return { kind: invite.kind, expires_at };
    return { kind: invite.kind, login: invite.operator.login, name: invite.operator.name, expires_at };
  }

  @Post('auth/invite/accept')
  @Public('the key of the link is the credential')
  @HttpCode(200)
  acceptInvite(
    @Body({ schema: acceptInviteRequestSchema }) { key, ...account }: AcceptInviteRequest,
  ): Promise<AuthUser> {
    return this.#auth.acceptInvite(key, account);
  }

  @Get('.well-known/jwks.json')
  @Public('public keys')
  @Header('cache-control', 'public, max-age=60')
  jwks(): JSONWebKeySet {
    return this.#auth.keys.publicSet;
  }
}
