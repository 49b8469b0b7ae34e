import { describe, expect, it } from 'vitest';
import { buttonData, type ButtonAction, parseButton, parseCommand, parseStatus } from './commands.ts';
import { clientMessageId, isOwnMessage } from './ids.ts';

describe('commands and buttons', () => {
  it('[TG8] a command is read with its argument, even if it names the bot', () => {
    expect(parseCommand('/login ABC 12')).toEqual({ name: 'login', argument: 'ABC 12' });
    expect(parseCommand(' /Status@shop_bot  off ')).toEqual({ name: 'status', argument: 'off' });
    for (const text of ['login ABC', '/', 'a /login', '//x', '']) expect(parseCommand(text)).toBeNull();
  });

  it('[TG8] the data of a button has at most 64 bytes and is read back', () => {
    const id = Number.MAX_SAFE_INTEGER;
    const actions: ButtonAction[] = [
      ...(['assign', 'close', 'reopen', 'note'] as const).map((kind) => ({ kind, sessionId: id })),
      { kind: 'callback', id, status: 'no_answer' },
      { kind: 'duty', status: 'away' },
    ];
    for (const action of actions) {
      expect(parseButton(buttonData(action))).toEqual(action);
      expect(Buffer.byteLength(buttonData(action))).toBeLessThanOrEqual(64);
    }
  });

  it('[TG8] other data of a button is not accepted', () => {
    for (const data of ['', 'assign', 'assign:0', 'assign:-1', 'assign:1e3', 'callback:1:gone', 'duty:x', 'erase:1'])
      expect(parseButton(data)).toBeNull();
  });

  it('[TG9] the words for a status are understood', () => {
    expect(['on', 'ONLINE', 'away', 'off', 'offline', 'x', ''].map(parseStatus)).toEqual([
      ...['online', 'online', 'away', 'off', 'off', null, null],
    ]);
  });

  it('[TG7] a message of Telegram always gets the same UUID, and no other message has it', () => {
    const one = clientMessageId(1, 2, '3');
    expect(clientMessageId(1, 2, '3')).toBe(one);
    expect(
      new Set([one, clientMessageId(1, 2, '4'), clientMessageId(1, 3, '3'), clientMessageId(2, 2, '3')]).size,
    ).toBe(4);
    expect(one).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
  });

  it('[TG7] the id of a message from Telegram is recognised', () => {
    const one = clientMessageId(1, 2, '3');
    expect([isOwnMessage(one), isOwnMessage('0b1c5e7a-1111-4111-8111-111111111111'), isOwnMessage(null)]).toEqual([
      true,
      false,
      false,
    ]);
  });
});
