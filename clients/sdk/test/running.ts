import type { ChatClient, ChatClientOptions, ConnectionState } from '../src/index.ts';
import { createChatClient } from '../src/index.ts';
import { createWorld, type FakeWorld, type Tab } from '../src/testing/index.ts';

export interface Running {
  readonly world: FakeWorld;
  readonly tab: Tab;
  readonly client: ChatClient;
  readonly states: ConnectionState[];
}

/** A client in a tab of a world in memory. */
export function run(options: ChatClientOptions = {}, world = createWorld(), name?: string): Running {
  const tab = world.tab(name);
  const client = createChatClient({ baseUrl: 'http://fake', tabs: false, environment: tab.environment, ...options });
  const states: ConnectionState[] = [];
  client.on('status', (state) => states.push(state));
  return { world, tab, client, states };
}

/** The same, after its first message. */
export async function begun(options?: ChatClientOptions): Promise<Running> {
  const one = run(options);
  one.client.send('question');
  await one.world.advance(200);
  return one;
}
export const bodies = (client: ChatClient): string[] => client.getState().messages.map(({ body }) => body);
export const closeAll = ({ gateway }: FakeWorld, code: number): void => {
  for (const connection of gateway.connections) connection.close(code);
};
