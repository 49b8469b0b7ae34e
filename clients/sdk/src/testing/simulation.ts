import type { ChatClient, ChatClientOptions } from '../api/customer.ts';
import { type CreateStaffClient, type OutOfOrder, SimulatedOperator } from './simulated-operator.ts';
import { createWorld, type FakeWorld, type Tab } from './world.ts';

export interface SimulationResult {
  /** What the simulation did, and every frame and request that the network carried. */
  readonly steps: number;
  readonly sent: number;
  readonly events: number;
  /** Empty: clients and server agree. */
  readonly problems: readonly string[];
  /** What operators were shown between the restore of a database and the reset that tells of it. */
  readonly excused: OutOfOrder;
  /** What was done, for debugging a failing seed. */
  readonly log: readonly string[];
}

export interface Clients {
  readonly createChatClient: (options: ChatClientOptions) => ChatClient;
  readonly createStaffClient: CreateStaffClient;
}

interface OpenTab {
  readonly name: string;
  readonly tab: Tab;
  readonly client: ChatClient;
  frozen: boolean;
}

export const ACTIONS = 60;
const HEAL_MS = 20 * 60_000;
/** Chats of other customers, whose events staff receive among those of the watched one. */
const OTHERS = 2;
const CALM = {
  offline: false,
  silent: false,
  loseRequest: 0,
  loseAnswer: 0,
  loseFrame: 0,
  repeatFrame: 0,
  swapFrames: 0,
};
const SHORT_MS = [0, 1, 5, 20, 60, 100, 400, 600, 1_000, 3_000];
const LONG_MS = [8_000, 16_000, 31_000, 31_000, 60_000];
const CLEAR = { copies: 1, delayMs: 0 };

/**
 * One run: clients of customers and operators, the real core of a gateway and a chat-service in memory. The network
 * loses, repeats, breaks, goes silent and recovers; so does the live path between chat-service and gateway. The
 * chat-service is slow or unavailable, and the gateway is restarted or frozen. When everything has recovered, every
 * client must show what the chat-service has, and nothing may have been shown twice, out of order or not at all.
 */
export async function simulate(clients: Clients, seed: number, actions = ACTIONS): Promise<SimulationResult> {
  const world = createWorld({
    seed,
    latencyMs: 40,
    headCheckSeconds: seed % 2 === 0 ? 2 : 10,
    tokenLifeSeconds: 600,
  });
  const { random, server, network, gateway } = world;
  const { livePath, source } = gateway;
  const tabsShared = random.chance(0.6);
  const restores = random.chance(0.2);
  /** TCP loses and repeats no frame of an open connection; a proxy in between may. */
  const framesFail = random.chance(0.5);
  const problems: string[] = [];
  const log: string[] = [];
  const tabs: OpenTab[] = [];
  const operators: SimulatedOperator[] = [];
  let opened = 0;
  let sent = 0;
  let events = 0;
  let restored = false;

  for (let id = 1; id <= OTHERS; id += 1)
    server.handle({
      method: 'POST',
      path: '/chat/session',
      query: new URLSearchParams(),
      headers: {},
      body: { resume_key: `other ${id}` },
    });
  const open = (): void => {
    opened += 1;
    const name = `tab${opened}`;
    const tab = world.tab(name);
    const client = clients.createChatClient({ baseUrl: 'http://fake', environment: tab.environment, tabs: tabsShared });
    let last: number | null = null;
    client.on('reset', () => (last = null));
    client.on('event', ({ seq }) => {
      events += 1;
      if (last !== null && seq !== last + 1) problems.push(`${name}: event ${seq} after ${last}`);
      last = seq;
    });
    tabs.push({ name, tab, client, frozen: false });
  };
  const send = (): void => {
    const { client, name } = random.pick(tabs);
    sent += 1;
    client.send(`${name} ${sent}`);
  };
  const withSession = (run: (id: number) => void): void => {
    const id = newest(world);
    if (id > 0) run(id);
  };
  const withAny = (run: (id: number) => void): void => run(random.pick([...server.sessions.keys()]));

  const things: Record<string, () => void> = {
    send,
    send2: () => {
      send();
      send();
    },
    answer: () => withSession((id) => server.answer(id, `answer ${server.sessions.get(id)?.messages.length}`)),
    burst: () =>
      withSession((id) => {
        for (let i = 0; i < 8; i += 1) server.answer(id, `burst ${i}`);
      }),
    elsewhere: () => {
      for (let i = 0; i < 3; i += 1) withAny((id) => id <= OTHERS && server.answer(id, 'to another'));
    },
    note: () => withAny((id) => server.note(id, 'a note')),
    assign: () => withAny((id) => server.assign(id, random.pick([null, 'op', 'assigned', 'own']))),
    cut: () => world.cutAll(),
    offline: () => {
      network.offline = true;
      world.cutAll();
    },
    online: () => {
      network.offline = false;
      for (const { tab } of [...tabs, ...operators]) tab.lifecycle('online');
    },
    silent: () => (network.silent = true),
    heard: () => (network.silent = false),
    lossy: () => {
      Object.assign(network, { loseRequest: 0.2, loseAnswer: 0.2 });
      if (framesFail) Object.assign(network, { loseFrame: 0.2, repeatFrame: 0.2, swapFrames: 0.2 });
    },
    calm: () => Object.assign(network, CALM),
    block: () => (network.blocked[random.pick(['websocket', 'sse', 'poll'] as const)] = random.chance(0.5)),
    unblock: () => Object.assign(network.blocked, { websocket: false, sse: false, poll: false }),
    full: () => (server.hooks.onConnect = () => (random.chance(0.7) ? 4529 : undefined)),
    overload: () =>
      (server.hooks.onConnect = () => (random.chance(0.5) ? random.pick([1013, 4429, 4408, 1011]) : undefined)),
    roomy: () => delete server.hooks.onConnect,
    goodbye: () => {
      for (const one of gateway.connections)
        one.send({ type: 'channel.goodbye', data: { reconnect_in_ms: random.below(3_000) } });
    },
    restart: () => gateway.restart(),
    standstill: () => gateway.freeze(random.pick([500, 3_000, 12_000])),
    expire: () => {
      for (const one of gateway.connections) one.close(4401);
    },
    livePathLossy: () => {
      livePath.passage = () => {
        const choice = random();
        if (choice < 0.25) return { copies: 0, delayMs: 0 };
        if (choice < 0.4) return { copies: 2, delayMs: 0 };
        return { copies: 1, delayMs: choice < 0.7 ? random() * 80 : 0 };
      };
    },
    livePathClear: () => (livePath.passage = () => CLEAR),
    livePathGone: () => livePath.disconnect(),
    livePathBack: () => livePath.reconnect(),
    sourceSlow: () => Object.assign(source, { latencyMs: random.below(400), answerDelayMs: random.below(100) }),
    sourceAway: () => (source.latencyMs = -1),
    sourceBack: () => Object.assign(source, { latencyMs: 0, answerDelayMs: 0 }),
    open: () => {
      if (tabs.length < 4) open();
    },
    crash: () => {
      if (tabs.length < 2) return;
      const [gone] = tabs.splice(random.below(tabs.length), 1);
      gone?.tab.crash();
    },
    close: () => {
      if (tabs.length < 2) return;
      const [gone] = tabs.splice(random.below(tabs.length), 1);
      gone?.client.destroy();
    },
    freeze: () => {
      const one = random.pick(tabs);
      if (one.frozen) return;
      one.frozen = true;
      if (random.chance(0.5)) one.tab.lifecycle('frozen');
      world.browser.freeze(one.name, true);
    },
    thaw: () => thaw(world, tabs),
    reconnect: () => {
      const { client } = random.pick(tabs);
      client.disconnect();
      client.connect();
    },
    operatorBack: () => random.pick(operators).reconnect(),
    read: () => random.pick(tabs).client.markRead(),
    restore: () => {
      // A client that does not know any epoch yet cannot notice that it changed.
      if (!restores || [...tabs, ...operators].some(({ client }) => client.getState().epoch === null)) return;
      withSession((id) => {
        restored = true;
        for (const operator of operators) operator.databaseRestored();
        server.restore(id, 1 + random.below(server.sessions.get(id)?.events.length ?? 1));
      });
    },
  };
  const names = Object.keys(things);

  open();
  for (const [index, scope] of (['all', 'all', 'assigned', 'own'] as const).entries())
    operators.push(
      new SimulatedOperator(clients.createStaffClient, world, problems, {
        name: index === 0 ? 'op' : scope,
        scope,
        framesFail,
      }),
    );
  let steps = 0;
  for (; steps < actions; steps += 1) {
    const name = random.chance(0.4) ? random.pick(['send', 'answer', 'burst', 'elsewhere']) : random.pick(names);
    log.push(name);
    things[name]?.();
    await world.advance(random.chance(0.003) ? 660_000 : random.pick(random.chance(0.1) ? LONG_MS : SHORT_MS));
    for (const { name: who, client } of tabs) checkShown(who, client, problems);
    if (problems.length > 0) break;
  }

  // Crashed tabs have left unsent messages; a page opened later sends them.
  open();
  Object.assign(network, CALM);
  for (const name of ['unblock', 'roomy', 'livePathClear', 'livePathBack', 'sourceBack']) things[name]?.();
  thaw(world, tabs);
  things['online']?.();
  await world.advance(1_000);
  // The loss of the very last frame on the wire is noticed only with a later one.
  if (framesFail) for (const id of server.sessions.keys()) server.answer(id, 'the last word');
  const disagreements = (): string[] => [
    ...differences(world, tabs, tabsShared),
    ...lossesOf(world, sent, restored),
    ...operators.flatMap((operator) => operator.behind()),
  ];
  for (let waited = 0; waited < HEAL_MS && problems.length === 0; waited += 10_000) {
    await world.advance(10_000);
    if (disagreements().length === 0) break;
  }
  // A run that ended with a fault had no time to converge.
  if (problems.length === 0) problems.push(...disagreements());
  for (const { client } of [...tabs, ...operators]) client.destroy();
  const excused = { again: 0, ahead: 0 };
  for (const operator of operators) {
    events += operator.events;
    excused.again += operator.excused.again;
    excused.ahead += operator.excused.ahead;
  }
  return { steps: steps + world.carried, sent, events, problems, excused, log };
}

/** The chat of the watched customer. */
function newest({ server }: FakeWorld): number {
  const id = Math.max(0, ...server.sessions.keys());
  return id > OTHERS ? id : 0;
}

function thaw(world: FakeWorld, tabs: readonly OpenTab[]): void {
  for (const one of tabs) {
    if (!one.frozen) continue;
    one.frozen = false;
    world.browser.freeze(one.name, false);
    one.tab.lifecycle('thawed');
    one.tab.lifecycle('visible');
  }
}

/** At every moment: each message once, the server's messages in order of id. */
function checkShown(who: string, client: ChatClient, problems: string[]): void {
  const { messages } = client.getState();
  const keys = new Set(messages.map(({ key }) => key));
  if (keys.size !== messages.length) problems.push(`${who}: a message is shown twice`);
  const ids = messages.flatMap(({ id }) => id ?? []);
  if (ids.some((id, index) => id <= (ids[index - 1] ?? 0))) problems.push(`${who}: messages out of order`);
}

function differences(world: FakeWorld, tabs: readonly OpenTab[], tabsShared: boolean): string[] {
  const problems: string[] = [];
  for (const { name, client } of tabs) {
    const { session, messages, connection, history } = client.getState();
    const id = newest(world);
    const found = world.server.sessions.get(id);
    // Without a channel between tabs, a tab in which nothing was started learns of the chat when it is reloaded.
    const unaware = !tabsShared && session === null && connection.status === 'idle';
    if (!found || unaware) continue;
    const has = found.messages.slice(history.hasOlder ? -messages.length : 0).map((m) => `${m.id} ${m.body}`);
    const shown = messages.map((m) => `${m.id} ${m.body}`);
    if (session?.id !== id) problems.push(`${name}: session ${session?.id} instead of ${id}`);
    else if (session.last_seq !== found.events.length)
      problems.push(`${name}: at seq ${session.last_seq} of ${found.events.length}`);
    else if (session.assigned_user_id !== found.session.assigned_user_id) problems.push(`${name}: another assignee`);
    if (shown.join('\n') !== has.join('\n')) problems.push(`${name}: shows ${shown.length} messages of ${has.length}`);
    if (connection.status !== 'online') problems.push(`${name}: is ${connection.status}`);
  }
  return problems;
}

/** Every text is in the history once, and those of one tab in the order in which they were written. */
function lossesOf(world: FakeWorld, sent: number, restored: boolean): string[] {
  const problems: string[] = [];
  const order = new Map<string, number>();
  const seen = new Set<string>();
  for (const { messages } of world.server.sessions.values()) {
    for (const { body, sender_type } of messages) {
      if (sender_type !== 'client') continue;
      const [tab = '', number = ''] = body.split(' ');
      if (seen.has(body)) problems.push(`stored twice: ${body}`);
      seen.add(body);
      // A tab that was asleep may send again what a restore removed: late is better than never.
      if (!restored && Number(number) < (order.get(tab) ?? 0)) problems.push(`${body} stands after ${order.get(tab)}`);
      order.set(tab, Number(number));
    }
  }
  // What a restore removed had been stored and answered: that is the owner's loss, not the client's fault.
  if (!restored && seen.size !== sent) problems.push(`${sent - seen.size} of ${sent} messages are lost`);
  const begun = [...world.server.sessions.keys()].filter((id) => id > OTHERS).length;
  if (begun > 1) problems.push(`${begun} sessions begun`);
  return problems;
}
