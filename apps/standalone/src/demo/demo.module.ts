import { markServedForReal } from '@chat-realtime/chat-service';
import type { Database } from '@chat-realtime/database';
import { ChatError } from '@chat-realtime/protocol';
import { RequireAdmin, RequireStaff } from '@chat-realtime/service-kit';
import { Controller, Delete, type DynamicModule, Get, HttpCode, Inject, Module, Post } from '@nestjs/common';
import { removeDemoChats } from './remove.ts';

const DEMO = Symbol('Demo');

export interface Demo {
  readonly database: Database;
  /** Path of a link for the first administrator; null where there is no demo to be ended. */
  readonly inviteAdmin: (() => Promise<string | undefined>) | null;
}

@Controller()
class DemoController {
  readonly #demo: Demo;

  constructor(@Inject(DEMO) demo: Demo) {
    this.#demo = demo;
  }

  /** Whether the console offers to begin for real. */
  @Get('chat/demo')
  @RequireStaff()
  read(): { demo: boolean } {
    return { demo: this.#demo.inviteAdmin !== null };
  }

  /** The one call that takes the seeded chats away again. */
  @Delete('chat/demo')
  @RequireAdmin()
  async remove(): Promise<{ removed: number }> {
    return { removed: await removeDemoChats(this.#demo.database) };
  }

  /** The demo's chats go, what is real stays, and its accounts close as soon as somebody has one of their own. */
  @Post('chat/demo/end')
  @RequireAdmin()
  @HttpCode(200)
  async end(): Promise<{ removed: number; invite_url: string }> {
    const invite = await this.#demo.inviteAdmin?.();
    if (invite === undefined) throw new ChatError('not_found', 'there is no demo to be ended');
    await markServedForReal(this.#demo.database);
    return { removed: await removeDemoChats(this.#demo.database), invite_url: invite };
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
