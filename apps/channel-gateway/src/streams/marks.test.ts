import type { CatchupRequest, CatchupResponse } from '@chat-realtime/protocol';
import { createMemoryFanout } from '@chat-realtime/messaging';
import { afterEach, expect, it } from 'vitest';
import { customerToken, type GatewayUnderTest, startGateway } from '../testing/gateway-under-test.ts';
import { Ledger } from '../testing/ledger.ts';
import { SocketClient } from '../testing/socket-client.ts';

const ID = 1;
const READ = { by: 'staff', delivered_id: 2, read_id: 2 };

/** An operator answers while a customer connects: his message comes live, and the read mark before it is given out. */
class BusyLedger extends Ledger {
  readonly fanout: ReturnType<typeof createMemoryFanout>;
  readonly during: (() => void | Promise<void>)[] = [];

  constructor(fanout: ReturnType<typeof createMemoryFanout>) {
    super(fanout);
    this.fanout = fanout;
    this.during.push(
      // Awaited until it is given out, so that it is there before the page that does not have it.
      () => this.tell(this.post(ID, 'an answer')),
      () => this.tell({ type: 'chat.read', session_id: ID, seq: null, data: READ }),
    );
  }

  async tell(frame: object): Promise<void> {
    await this.fanout.execute([{ kind: 'publish', channel: `chat:${ID}`, payload: JSON.stringify(frame) }]);
    await new Promise((resolve) => setImmediate(resolve));
  }

  override async catchup(request: CatchupRequest): Promise<CatchupResponse> {
    const answer = await super.catchup(request);
    if (request.sessions.some(({ id }) => id === ID)) await this.during.shift()?.();
    return answer;
  }
}

let under: GatewayUnderTest | null = null;
let client: SocketClient | null = null;
afterEach(async () => {
  client?.end();
  await under?.close();
});

it('[RD7] tells a mark that moves while a connection, already announced, is behind', async () => {
  const fanout = createMemoryFanout();
  const ledger = new BusyLedger(fanout);
  ledger.createSession(ID);
  ledger.post(ID, 'a question', 'client');
  under = await startGateway({ fanout, ledger });
  client = new SocketClient(`${under.wsUrl}?session=${ID}&token=${customerToken(ID)}`);
  expect((await client.ready()).data['state']).toMatchObject({ staff: { read_id: 0 } });
  expect((await client.waitFor('chat.read')).data).toEqual(READ);
  expect(ledger.during).toEqual([]);
});
