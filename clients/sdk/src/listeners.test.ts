import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { begun, bodies } from '../test/running.ts';
import { createEmitter, createStore } from './core/store.ts';

const fail = (): never => {
  throw new Error('a fault of the site');
};

describe('a listener that throws', () => {
  const reported = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  afterEach(() => reported.mockClear());

  it('stops no other listener of an event or of a store', async () => {
    const heard: string[] = [];
    const emitter = createEmitter<{ news: string }>();
    emitter.on('news', fail);
    emitter.on('news', (text) => heard.push(text));
    emitter.emit('news', 'one');
    const store = createStore(() => 0);
    store.subscribe(fail);
    store.subscribe(() => heard.push('changed'));
    store.touch();
    await Promise.resolve();
    expect(heard).toEqual(['one', 'changed']);
    expect(reported).toHaveBeenCalledTimes(2);
  });

  it('loses no message of the chat, and causes none to be read twice', async () => {
    const { world, client } = await begun();
    const [session] = world.server.sessions.values();
    if (session === undefined) throw new Error('the session was not made');
    let readAgain = 0;
    world.server.hooks.onRequest = ({ path }) => {
      if (path.endsWith('/events')) readAgain += 1;
      return undefined;
    };
    for (const event of ['message', 'event', 'frame', 'session', 'status'] as const) client.on(event, fail);
    client.subscribe(fail);
    const heard: string[] = [];
    client.on('message', ({ body }) => heard.push(body));
    for (const text of ['one', 'two', 'three']) world.server.answer(session.id, text);
    await world.advance(2_000);
    expect(heard).toEqual(['one', 'two', 'three']);
    expect(bodies(client).slice(-3)).toEqual(heard);
    expect(readAgain).toBe(0);
  });

  it('is handled in one place: nothing else in our clients calls listeners in a row', () => {
    const clients = fileURLToPath(new URL('../../', import.meta.url));
    const alone = readdirSync(clients, { recursive: true, encoding: 'utf8' })
      .filter((file) => /^[\w-]+\/src\/.*\.tsx?$/.test(file) && !/\.test\.ts$|\/testing\/|notify-all\.ts$/.test(file))
      .filter((file) => /\bof \[?\.{0,3}[^;{]*listeners[^;{]*\)\s*\w+\(/i.test(readFileSync(clients + file, 'utf8')));
    // The loader must be small and has its own code, with its own test.
    expect(alone).toEqual(['widget/src/loader/events.ts']);
  });
});
