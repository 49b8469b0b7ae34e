import type { ChatClient, ChatClientOptions } from '../api/customer.ts';
import type { FakeWorld, Tab } from './world.ts';
import { createWorld } from './world.ts';

export interface FuzzResult {
  readonly steps: number;
  readonly sent: number;
  readonly events: number;
  /** Empty: client and server agree. */
  readonly problems: readonly string[];
  /** What was done, for the one who looks into a failing seed. */
  readonly log: readonly string[];
}

interface OpenTab {
  readonly name: string;
  readonly tab: Tab;
  readonly client: ChatClient;
  frozen: boolean;
}

const HEAL_MS = 20 * 60_000;
const CALM = {
  offline: false,
  silent: false,
  loseRequest: 0,
  loseAnswer: 0,
  loseFrame: 0,
  repeatFrame: 0,
  swapFrames: 0,
};

type Create = (options: ChatClientOptions) => ChatClient;

/**
 * One run: clients of one browser against the fake server over a network that loses, repeats, reorders, breaks, goes
 * silent and comes back. When it is well again every client must show what the server has, and nothing may have been shown
 * twice, out of order or not at all.
 */
export async function fuzz(createClient: Create, seed: number, steps: number): Promise<FuzzResult> {
  const world = createWorld({ seed, latencyMs: 40 });
  const { random, server, network } = world;
  const tabsShared = random.chance(0.6);
  const restores = random.chance(0.2);
  const problems: string[] = [];
  const log: string[] = [];
  const tabs: OpenTab[] = [];
  let opened = 0;
  let sent = 0;
  let events = 0;
  let restored = false;

  const open = (): void => {
    opened += 1;
    const name = `tab${opened}`;
    const tab = world.tab(name);
    const client = createClient({ baseUrl: 'http://fake', environment: tab.environment, tabs: tabsShared });
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
  const newest = (): number => Math.max(0, ...server.sessions.keys());
  const withSession = (run: (id: number) => void): void => {
    if (newest() > 0) run(newest());
  };

  const actions: Record<string, () => void> = {
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
    assign: () => withSession((id) => server.assign(id, random.chance(0.5) ? 'op' : null)),
    cut: world.cutAll,
    offline: () => {
      network.offline = true;
      world.cutAll();
    },
    online: () => {
      network.offline = false;
      for (const { tab } of tabs) tab.lifecycle('online');
    },
    silent: () => (network.silent = true),
    heard: () => (network.silent = false),
    lossy: () =>
      Object.assign(network, { loseRequest: 0.2, loseAnswer: 0.2, loseFrame: 0.2, repeatFrame: 0.2, swapFrames: 0.2 }),
    calm: () => Object.assign(network, CALM),
    block: () => (network.blocked[random.pick(['websocket', 'sse', 'poll'] as const)] = random.chance(0.5)),
    unblock: () => Object.assign(network.blocked, { websocket: false, sse: false, poll: false }),
    full: () => (server.hooks.onConnect = () => (random.chance(0.7) ? 4529 : undefined)),
    overload: () =>
      (server.hooks.onConnect = () => (random.chance(0.5) ? random.pick([1013, 4429, 4408, 1011]) : undefined)),
    roomy: () => delete server.hooks.onConnect,
    goodbye: () => {
      for (const one of server.connections)
        one.send({ type: 'channel.goodbye', data: { reconnect_in_ms: random.below(3_000) } });
    },
    restart: () => {
      for (const one of [...server.connections]) one.close(1012);
    },
    expire: () => {
      for (const one of [...server.connections]) one.close(4401);
    },
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
    read: () => random.pick(tabs).client.markRead(),
    restore: () => {
      // A client that has not yet heard of any epoch cannot know that it changed.
      if (!restores || tabs.some(({ client }) => client.getState().epoch === null)) return;
      withSession((id) => {
        restored = true;
        server.restore(id, 1 + random.below(server.sessions.get(id)?.events.length ?? 1));
      });
    },
  };
  const names = Object.keys(actions);

  open();
  for (let step = 0; step < steps; step += 1) {
    const name = random.chance(0.4) ? random.pick(['send', 'answer', 'burst']) : random.pick(names);
    log.push(name);
    actions[name]?.();
    await world.advance(random.pick([0, 1, 20, 100, 600, 3_000, 8_000, 31_000, random.chance(0.05) ? 4_000_000 : 200]));
    for (const { name: who, client } of tabs) checkShown(who, client, problems);
    if (problems.length > 0) break;
  }

  // Tabs that crashed have left what they could not send; a page opened later sends it.
  open();
  Object.assign(network, CALM);
  actions['unblock']?.();
  actions['roomy']?.();
  thaw(world, tabs);
  actions['online']?.();
  await world.advance(1_000);
  // That the very last frame was lost shows only by one after it; the server's head check sends it, which this one lacks.
  actions['answer']?.();
  for (let waited = 0; waited < HEAL_MS && problems.length === 0; waited += 10_000) {
    await world.advance(10_000);
    if ([...differences(world, tabs, tabsShared), ...lossesOf(world, sent, restored)].length === 0) break;
  }
  // A run that ended at a fault was given no time to agree.
  if (problems.length === 0) problems.push(...differences(world, tabs, tabsShared), ...lossesOf(world, sent, restored));
  for (const { client } of tabs) client.destroy();
  return { steps, sent, events, problems, log };
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

/** At every moment: each message once, those of the server in order of id. */
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
    const id = Math.max(0, ...world.server.sessions.keys());
    const found = world.server.sessions.get(id);
    // Without a channel between tabs one in which nothing was begun learns of the chat when it is loaded again.
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

/** Every text stands in the history once, and those of one tab in the order in which they were written. */
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
      // What a restore took away, a tab that was asleep since may send again: late is better than never.
      if (!restored && Number(number) < (order.get(tab) ?? 0)) problems.push(`${body} stands after ${order.get(tab)}`);
      order.set(tab, Number(number));
    }
  }
  // What a restore took away was stored before it, and answered: that is the operator's loss, not the client's.
  if (!restored && seen.size !== sent) problems.push(`${sent - seen.size} of ${sent} messages are lost`);
  if (world.server.sessions.size > 1) problems.push(`${world.server.sessions.size} sessions begun`);
  return problems;
}
