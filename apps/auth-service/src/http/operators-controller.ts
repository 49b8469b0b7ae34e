import {
  ChatError,
  newOperatorSchema,
  operatorPatchSchema,
  type OperatorAccount,
  type OperatorInvite,
  passwordChangeSchema,
} from '@chat-realtime/protocol';
import { Principal, RequireAdmin, RequireStaff } from '@chat-realtime/service-kit';
import { Body, Controller, Get, Header, HttpCode, Inject, Param, Patch, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { AuthService } from '../auth-service.ts';
import { type Administrator, OperatorAccounts } from '../operator-accounts.ts';
import { AUTH_SERVICE } from './auth-controller.ts';
import { consoleAddress } from './public-origin.ts';

export function administrator(principal: Principal): Administrator {
  if (principal.kind !== 'staff') throw new ChatError('bad_token', 'not a token of staff');
  return { userId: principal.userId, name: principal.name, loginId: principal.loginId };
}

/** Accounts of operators, and everybody's own password. */
@Controller('auth')
export class OperatorsController {
  readonly #accounts: OperatorAccounts;
  readonly #publicUrl: string | undefined;

  constructor(@Inject(AUTH_SERVICE) auth: AuthService) {
    this.#accounts = auth.accounts;
    this.#publicUrl = auth.publicUrl;
  }

  @Get('operators')
  @RequireAdmin()
  @Header('cache-control', 'no-store')
  async list(): Promise<{ operators: OperatorAccount[] }> {
    return { operators: await this.#accounts.list() };
  }

  @Post('operators')
  @RequireAdmin()
  @Header('cache-control', 'no-store')
  add(
    @Principal() principal: Principal,
    @Body({ schema: newOperatorSchema }) body: z.infer<typeof newOperatorSchema>,
    @Req() request: FastifyRequest,
  ): Promise<OperatorInvite> {
    return this.#accounts.add(administrator(principal), body, consoleAddress(request, this.#publicUrl));
  }

  @Patch('operators/:id')
  @RequireAdmin()
  async change(
    @Principal() principal: Principal,
    @Param('id') id: string,
    @Body({ schema: operatorPatchSchema }) body: z.infer<typeof operatorPatchSchema>,
  ): Promise<{ operator: OperatorAccount }> {
    return { operator: await this.#accounts.change(administrator(principal), id, body) };
  }

  @Post('operators/:id/invite')
  @RequireAdmin()
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  invite(
    @Principal() principal: Principal,
    @Param('id') id: string,
    @Req() request: FastifyRequest,
  ): Promise<OperatorInvite> {
    return this.#accounts.invite(administrator(principal), id, consoleAddress(request, this.#publicUrl));
  }

  @Post('operators/:id/sign-out')
  @RequireAdmin()
  @HttpCode(204)
  endSignIns(@Principal() principal: Principal, @Param('id') id: string): Promise<void> {
    return this.#accounts.endSignIns(administrator(principal), id);
  }

  @Post('password')
  @RequireStaff()
  @HttpCode(204)
  async password(
    @Principal() principal: Principal,
    @Body({ schema: passwordChangeSchema }) body: z.infer<typeof passwordChangeSchema>,
  ): Promise<void> {
    await this.#accounts.changePassword(administrator(principal), body.current_password, body.new_password);
  }
}
