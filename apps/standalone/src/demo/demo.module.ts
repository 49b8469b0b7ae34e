import type { Database } from '@chat-realtime/database';
import { RequireAdmin } from '@chat-realtime/service-kit';
import { Controller, Delete, type DynamicModule, Inject, Module } from '@nestjs/common';
import { removeDemoChats } from './remove.ts';

const DATABASE = Symbol('Database');

@Controller()
class DemoController {
  readonly #database: Database;

  constructor(@Inject(DATABASE) database: Database) {
    this.#database = database;
  }

  /** The one call that takes the seeded chats away again. */
  @Delete('chat/demo')
  @RequireAdmin()
  async remove(): Promise<{ removed: number }> {
    return { removed: await removeDemoChats(this.#database) };
  }
}

@Module({})
export class DemoModule {
  static forRoot(database: Database): DynamicModule {
    return {
      module: DemoModule,
      controllers: [DemoController],
      providers: [{ provide: DATABASE, useValue: database }],
    };
  }
}
