import { expect, it } from 'vitest';
import { TryDoor } from './try-door.ts';

it('[OPS21] a key opens the page once, and the next one is printed', () => {
  const told: string[] = [];
  const door = new TryDoor(8080, (key) => told.push(key));
  const first = door.key;
  const cookie = door.exchange(first)?.split(';')[0];
  expect(cookie).toMatch(/^chat_try_8080=[\w-]{32}$/);
  expect(door.exchange(first)).toBeNull();
  expect(told).toEqual([door.key]);
  expect(door.key).not.toBe(first);
  expect(door.admits(`other=1; ${cookie}`)).toBe(true);
});

it('[OPS21] no cookie with the key itself, with a guess, or of another port opens the page', () => {
  const door = new TryDoor(8080, () => undefined);
  const cookie = door.exchange(door.key)?.split(';')[0] ?? '';
  for (const wrong of [
    undefined,
    '',
    'chat_try_8080=',
    `chat_try_8080=${door.key}`,
    `${cookie}x`,
    cookie.replace('8080', '8081'),
  ])
    expect(door.admits(wrong), wrong).toBe(false);
});
