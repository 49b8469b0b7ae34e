import {
  type RecoveryCodes,
  totpBeginSchema,
  totpCodeSchema,
  totpEndSchema,
  type TotpSetup,
} from '@chat-realtime/protocol';
import { Principal, RequireAdmin, RequireStaff } from '@chat-realtime/service-kit';
import { Body, Controller, Delete, Header, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { AuthService } from '../auth-service.ts';
import type { SecondFactor } from '../second-factor.ts';
import { AUTH_SERVICE } from './auth-controller.ts';
import { administrator } from './operators-controller.ts';

/** Codes in addition to the password. */
@Controller('auth')
export class SecondFactorController {
  readonly #factor: SecondFactor;

  constructor(@Inject(AUTH_SERVICE) auth: AuthService) {
    this.#factor = auth.secondFactor;
  }

  @Post('totp')
  @RequireStaff()
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  begin(
    @Principal() principal: Principal,
    @Body({ schema: totpBeginSchema }) { current_password }: z.infer<typeof totpBeginSchema>,
    @Req() request: FastifyRequest,
  ): Promise<TotpSetup> {
    // The app shows the name of the site beside the login; only the caller sees the host they used.
    return this.#factor.begin(administrator(principal), request.hostname, current_password);
  }

  @Post('totp/confirm')
  @RequireStaff()
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  confirm(
    @Principal() principal: Principal,
    @Body({ schema: totpCodeSchema }) { code }: z.infer<typeof totpCodeSchema>,
  ): Promise<RecoveryCodes> {
    return this.#factor.confirm(administrator(principal), code);
  }

  @Delete('totp')
  @RequireStaff()
  @HttpCode(204)
  end(
    @Principal() principal: Principal,
    @Body({ schema: totpEndSchema }) { code }: z.infer<typeof totpEndSchema>,
  ): Promise<void> {
    return this.#factor.end(administrator(principal), code);
  }

  @Delete('operators/:id/totp')
  @RequireAdmin()
  @HttpCode(204)
  reset(@Principal() principal: Principal, @Param('id') id: string): Promise<void> {
    return this.#factor.reset(administrator(principal), id);
  }
}
