import { createMemoryFanout } from '@chat-realtime/messaging';
import { sessionChannel } from '@chat-realtime/protocol';
import { afterAll, describe, expect, it } from 'vitest';
import { createHttpSource } from './http-source.ts';
import { ForeignService } from './testing/foreign-service.ts';
import { customerToken, type GatewaySetup, type GatewayUnderTest, startGateway } from './testing/gateway-under-test.ts';
import { eventually, range, SocketClient } from './testing/socket-client.ts';

const KEY = 'internal-key-of-the-site';

/** A gateway whose sessions belong to a site: it has no relay, so nobody sends ticks. */
class Beside {
  readonly site: ForeignService;
  readonly under: GatewayUnderTest;
  readonly #opened: SocketClient[] = [];

  constructor(site: ForeignService, under: GatewayUnderTest) {
    this.site = site;
    this.under = under;
  }

  static async start(setup: GatewaySetup = {}): Promise<Beside> {
    const site = await ForeignService.start();
    const fanout = createMemoryFanout();
    const source = createHttpSource({
      catchupUrl: `${site.url}/site/catchup.php`,
      acksUrl: `${site.url}/site/acks.php`,
      apiKey: KEY,
    });
    const env = { CHANNEL_TICKS: 'off', HEAD_CHECK_SECONDS: '1', ...setup.env };
    return new Beside(site, await startGateway({ source, fanout, ticks: false, ...setup, env }));
  }

  connect(sessionId: number, lastSeq?: number): SocketClient {
    const after = lastSeq === undefined ? '' : `&last_seq=${lastSeq}`;
    const client = new SocketClient(
      `${this.under.wsUrl}?session=${sessionId}&token=${customerToken(sessionId)}${after}`,
    );
    this.#opened.push(client);
    return client;
  }

  /** What the dispatcher does with an event that the site published. */
  async publish(event: object): Promise<void> {
    const { session_id: id } = event as { session_id: number };
    await this.under.fanout.execute([{ kind: 'publish', channel: sessionChannel(id), payload: JSON.stringify(event) }]);
  }

  async stop(): Promise<void> {
    for (const client of this.#opened) client.end();
    this.site.stop();
    await this.under.close();
  }
}

// These run concurrently, each with its own gateway and site: most of them wait for time limits.
describe.concurrent('beside a site that keeps seq itself', () => {
  const started: Beside[] = [];
  afterAll(() => Promise.all(started.map((beside) => beside.stop())));
  const start = async (setup: GatewaySetup = {}): Promise<Beside> => {
    const beside = await Beside.start(setup);
    started.push(beside);
    return beside;
  };

  it('[BES21] serves a whole conversation with two calls, live and after a resume', async () => {
    const b = await start();
    const { site } = b;
    for (const id of range(1, 3)) site.message(1, id);
    const client = b.connect(1, 1);
    await client.waitForSeq(3);
    await b.publish(site.message(1, 4));
    await client.waitForSeq(4);
    // Lost on the live path: the next event reveals it.
    site.message(1, 5);
    await b.publish(site.message(1, 6));
    await client.waitForSeq(6);
    // The last of a burst is found by the head check.
    site.message(1, 7);
    await client.waitForSeq(7);
    expect(client.seqs()).toEqual(range(2, 7));
    client.send({ type: 'ack', last_id: 7 });
    await eventually(() => site.acked[0], 'the ack at the site');
    expect(site.acked[0]).toMatchObject({ session_id: 1, participant: 'client', last_id: 7 });
    expect([...site.keys]).toEqual([`Bearer ${KEY}`]);
  });

  it('[BES32] waits a moment for a session that the site does not know yet, on every transport', async () => {
    const b = await start();
    const { site } = b;
    const early = b.connect(2, 0);
    const poll = (wait: number) =>
      fetch(`${b.under.httpUrl}/channel/poll?session=2&token=${customerToken(2)}&last_seq=0&wait=${wait}`);
    // A poll that does not wait is answered at once.
    expect((await poll(0)).status).toBe(404);
    const waiting = poll(20);
    site.message(2, 1);
    await early.waitForSeq(1);
    expect(await (await waiting).json()).toMatchObject({ events: [{ seq: 1 }] });
    expect(early.closeCode).toBeNull();
  });

  it('[BES23] passes on the site’s own types, states and texts, live and in a catch-up', async () => {
    const b = await start();
    const { site } = b;
    site.append(1, 'shop.order.paid', { sum: '12.50' });
    site.append(1, 'chat.session.status', { status: 'ждёт склад', previous: 'open', reason: 'warehouse' });
    const client = b.connect(1, 0);
    await client.waitForSeq(2);
    await b.publish(site.append(1, 'shop.rated', { stars: 5 }));
    await b.publish(site.message(1, 9));
    await client.waitForSeq(4);
    const events = client.frames.filter(({ seq }) => typeof seq === 'number');
    expect(
      events.map(({ type, data }) => [type, data['status'] ?? data['stars'] ?? data['sum'] ?? data['id']]),
    ).toEqual([
      ['shop.order.paid', '12.50'],
      ['chat.session.status', 'ждёт склад'],
      ['shop.rated', 5],
      ['chat.message', 9],
    ]);
  });

  it('[BES24] gives a stable epoch to a source that reports none', async () => {
    const b = await start();
    const { site } = b;
    site.message(1, 1);
    const [first, second] = [await b.connect(1).ready(), await b.connect(1).ready()];
    expect(first.data['epoch']).toMatch(/^[0-9a-f]{32}$/);
    expect(second.data['epoch']).toBe(first.data['epoch']);
  });

  it.for(['failing', 'nonsense', 'endless'] as const)(
    '[BES25] a site that is %s delays events and corrupts none; clients are notified of it and of its end',
    { timeout: 60_000 },
    async (mood) => {
      const b = await start();
      const { site } = b;
      site.message(1, 1);
      const client = b.connect(1, 0);
      await client.waitForSeq(1);
      site.catchup = mood;
      site.message(1, 1);
      await client.waitFor('channel.degraded', 15_000);
      expect(client.seqs()).toEqual([1]);
      site.catchup = 'well';
      await eventually(() => (client.seqs().length > 1 ? true : undefined), 'what was missed', 15_000);
      await client.waitFor('channel.restored', 15_000);
      expect(client.seqs()).toEqual([1, 2]);
      expect(client.closeCode).toBeNull();
    },
  );

  it('[BES25] slow acks delay no message, and are delivered when the site accepts them', async () => {
    const b = await start();
    const { site } = b;
    site.message(1, 1);
    site.acks = 'slow';
    const client = b.connect(1, 0);
    await client.waitForSeq(1);
    client.send({ type: 'ack', last_id: 1 });
    await eventually(() => (site.ackCalls > 0 ? true : undefined), 'an ack call');
    const at = performance.now();
    await b.publish(site.message(1, 2));
    site.message(1, 3);
    await client.waitForSeq(3);
    expect(performance.now() - at).toBeLessThan(4_000);
    client.send({ type: 'ack', last_id: 3 });
    site.acks = 'well';
    await eventually(
      () => site.acked.find((ack) => (ack as { last_id: number }).last_id === 3),
      'the newest ack',
      20_000,
    );
  }, 40_000);

  it('[BES25] a site that does not answer is asked again after the time limit, and newcomers wait', async () => {
    const b = await start();
    const { site } = b;
    site.message(1, 1);
    site.catchup = 'slow';
    const client = b.connect(1, 0);
    await eventually(() => (site.catchupCalls >= 2 ? true : undefined), 'a second call', 12_000);
    site.catchup = 'well';
    await client.waitForSeq(1, 10_000);
  }, 40_000);
});
