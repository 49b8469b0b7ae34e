import { markServedForReal, wasServedForReal } from '@chat-realtime/chat-service';
import type { AuditEntry, Database } from '@chat-realtime/database';
import {
  ChatError,
  type DemoEndedResponse,
  type DemoRemovedResponse,
  type DemoResponse,
} from '@chat-realtime/protocol';
import { Principal, RequireAdmin, RequireStaff } from '@chat-realtime/service-kit';
import { Controller, Delete, type DynamicModule, Get, HttpCode, Inject, Module, Post } from '@nestjs/common';
import { removeDemoChats } from './remove.ts';

const DEMO = Symbol('Demo');

export interface DemoAccounts {
  readonly areOpen: () => Promise<boolean>;
  /** Path of the link for the first administrator; null where there is one: then the demo's accounts are closed. */
  readonly end: () => Promise<string | null>;
}

export interface Demo {
  readonly database: Database;
  /** Null where there is no demo to be ended. */
  readonly accounts: DemoAccounts | null;
}

function byWhom(principal: Principal): AuditEntry['actor'] {
  if (principal.kind !== 'staff') throw new ChatError('bad_token', 'not a token of staff');
  return { userId: principal.userId, name: principal.name };
}

@Controller()
class DemoController {
  readonly #demo: Demo;

  constructor(@Inject(DEMO) demo: Demo) {
    this.#demo = demo;
  }

  /** Whether the console offers to end the demo. */
  @Get('chat/demo')
  @RequireStaff()
  async read(): Promise<DemoResponse> {
    return { demo: (await this.#running()) !== null };
  }

  /** The one call that takes the seeded chats away again. */
  @Delete('chat/demo')
  @RequireAdmin()
  async remove(@Principal() principal: Principal): Promise<DemoRemovedResponse> {
    return { removed: await removeDemoChats(this.#demo.database, byWhom(principal), 'demo.chats_removed') };
  }

  /**
   * The demo's chats are removed, real ones stay. Its accounts are closed once somebody has their own: with the link
   * that this returns, or now if an administrator has already joined.
   */
  @Post('chat/demo/end')
  @RequireAdmin()
  @HttpCode(200)
  async end(@Principal() principal: Principal): Promise<DemoEndedResponse> {
    const accounts = await this.#running();
    if (accounts === null) throw new ChatError('not_found', 'there is no demo to be ended');
    const { database } = this.#demo;
    // First: later steps may be repeated, but a start must not seed a demo into a real database.
    await markServedForReal(database);
    const removed = await removeDemoChats(database, byWhom(principal), 'demo.ended');
    return { removed, invite_url: await accounts.end() };
  }

  /** It runs until it was ended and nobody can sign in by its accounts any more. */
  async #running(): Promise<DemoAccounts | null> {
    const { accounts, database } = this.#demo;
    if (accounts === null) return null;
    return (await accounts.areOpen()) || !(await wasServedForReal(database)) ? accounts : null;
  }
}

@Module({})
export class DemoModule {
  static forRoot(demo: Demo): DynamicModule {
    return {
      module: DemoModule,
      controllers: [DemoController],
      providers: [{ provide: DEMO, useValue: demo }],
    };
  }
}
