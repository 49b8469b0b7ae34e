import { type DynamicModule, Module } from '@nestjs/common';
import type { AuthService } from '../auth-service.ts';
import { AUTH_SERVICE, AuthController } from './auth-controller.ts';
import { OidcController } from './oidc-controller.ts';
import { OperatorsController } from './operators-controller.ts';
import { SecondFactorController } from './second-factor-controller.ts';

export interface AuthModuleOptions {
  readonly service: AuthService;
}

/** The REST routes of auth-service. */
@Module({})
export class AuthModule {
  static forRoot({ service }: AuthModuleOptions): DynamicModule {
    return {
      module: AuthModule,
      controllers: [AuthController, OperatorsController, SecondFactorController, OidcController],
      providers: [{ provide: AUTH_SERVICE, useValue: service }],
    };
  }
}
