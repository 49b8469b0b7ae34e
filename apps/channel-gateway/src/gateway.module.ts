import { Server } from 'node:http';
import { type DynamicModule, Inject, Injectable, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { Gateway } from './gateway.ts';
import { CHANNEL, ChannelController } from './channel/channel.controller.ts';

function isHttpServer(value: unknown): value is Server {
  return value instanceof Server;
}

const GATEWAY = Symbol('Gateway');

/** Passes the application's HTTP server, shared or its own, to the gateway once it exists. */
@Injectable()
class UpgradeAttachment implements OnApplicationBootstrap {
  readonly #gateway: Gateway;
  readonly #host: HttpAdapterHost;

  constructor(@Inject(GATEWAY) gateway: Gateway, @Inject(HttpAdapterHost) host: HttpAdapterHost) {
    this.#gateway = gateway;
    this.#host = host;
  }

  async onApplicationBootstrap(): Promise<void> {
    const server: unknown = this.#host.httpAdapter.getHttpServer();
    if (!isHttpServer(server)) throw new Error('the gateway needs an HTTP/1.1 server for upgrades');
    this.#gateway.attach(server);
    await this.#gateway.start();
  }
}

@Module({})
export class GatewayModule {
  /** Routes, upgrades and start of one gateway within any application of ours. */
  static forRoot(gateway: Gateway): DynamicModule {
    return {
      module: GatewayModule,
      controllers: [ChannelController],
      providers: [
        { provide: GATEWAY, useValue: gateway },
        { provide: CHANNEL, useValue: gateway.routes },
        UpgradeAttachment,
      ],
    };
  }
}
