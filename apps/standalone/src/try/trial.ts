import type { AuthService, Operator } from '@chat-realtime/auth-service';
import type { Dispatcher } from '@chat-realtime/channel-dispatcher';
import type { StorageContext } from '@chat-realtime/chat-service';
import type { ChatSource } from '@chat-realtime/protocol';
import type { Database } from '@chat-realtime/database';
import type { Logger } from '@chat-realtime/service-kit';
import type { FastifyInstance } from 'fastify';
import { markDemoChat } from '../demo/demo-chats.ts';
import { BreakableBroker } from './breakable-broker.ts';
import { BreakableFanout } from './breakable-fanout.ts';
import { BreakableNetwork } from './breakable-network.ts';
import { Experiments } from './experiments.ts';
import { PathMeter } from './path-meter.ts';
import { RestartableDispatcher } from './restartable-dispatcher.ts';
import { installTrialRoutes } from './trial-routes.ts';
import { TryDoor } from './try-door.ts';

export interface TrialStage {
  readonly database: Database;
  readonly chats: StorageContext;
  readonly auth: AuthService;
  readonly operators: readonly Operator[];
  readonly operatorPassword: string;
  readonly logger: Logger;
}

/**
 * The same parts as without it, each in a cover by which the page `/try/` can break it. Made in demo mode alone, before
 * the services, which then know nothing of it.
 */
export class Trial {
  readonly door: TryDoor;
  readonly meter = new PathMeter();
  readonly broker = new BreakableBroker(this.meter);
  readonly fanout = new BreakableFanout(this.meter);
  readonly network = new BreakableNetwork(() => this.meter.changed());
  #dispatcher: RestartableDispatcher | null = null;

  /** `keySpent` gets the next valid key. */
  constructor(port: number, keySpent: (nextKey: string) => void) {
    this.door = new TryDoor(port, keySpent);
  }

  dispatcher(create: () => Dispatcher): Dispatcher {
    this.#dispatcher = new RestartableDispatcher(create, () => this.meter.changed());
    return this.#dispatcher;
  }

  /** Counts events that a gateway reads from the database because the live path did not deliver them. */
  source(source: ChatSource): ChatSource {
    return {
      catchup: async (request) => {
        const answer = await source.catchup(request);
        this.meter.countCatchup(answer);
        return answer;
      },
      acks: (request) => source.acks(request),
    };
  }

  async install(
    server: FastifyInstance,
    { database, chats, auth, operators, operatorPassword, logger }: TrialStage,
  ): Promise<void> {
    const anna = operators[0];
    if (anna === undefined || this.#dispatcher === null)
      throw new Error('the trial needs an operator and a dispatcher');
    const failed = (error: unknown): void => logger.error({ err: error }, 'an experiment of /try/ failed');
    const operator = { kind: 'staff', userId: anna.id, name: anna.name, role: anna.role, scope: anna.scope } as const;
    const { broker, fanout, network, meter } = this;
    const dispatcher = this.#dispatcher;
    await installTrialRoutes(server, {
      door: this.door,
      experiments: new Experiments({ chats, operator, broker, fanout, network, dispatcher, meter, failed }),
      broker,
      fanout,
      network,
      dispatcher,
      meter,
      failed,
      begun: (sessionId) => markDemoChat(database, sessionId),
      signIn: (clientIp) => auth.login(anna.login, operatorPassword, clientIp),
    });
  }
}
