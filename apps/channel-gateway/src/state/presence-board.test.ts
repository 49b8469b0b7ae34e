import { describe, expect, it } from 'vitest';
import { PresenceBoard, type PresenceMessage } from './presence-board.ts';

function board(...remote: string[]): PresenceBoard {
  const result = new PresenceBoard('own');
  const message: PresenceMessage = {
    type: 'control.presence',
    data: { gateway_id: 'other', operators: remote.map((id) => ({ id, name: id })) },
  };
  result.receive(message, 0);
  result.refresh(0);
  return result;
}
const states = (of: PresenceBoard) => Object.fromEntries(of.users.map(({ id, state }) => [id, state]));

describe('chosen status', () => {
  it('[OST4] overrides the connection: shown to staff, not counted for customers', () => {
    const under = board('anna', 'boris', 'vera');
    expect([under.operatorsOnline, states(under)]).toEqual([3, { anna: 'online', boris: 'online', vera: 'online' }]);
    under.chosen([
      { user_id: 'anna', status: 'away', version: 1 },
      { user_id: 'boris', status: 'off', version: 1 },
    ]);
    expect(under.refresh(0)).toBe(true);
    expect([under.operatorsOnline, states(under)]).toEqual([1, { anna: 'away', boris: 'offline', vera: 'online' }]);
    under.chosen([{ user_id: 'anna', status: 'online', version: 2 }]);
    expect([under.refresh(0), under.operatorsOnline]).toEqual([true, 2]);
  });

  it('[OST5] is known before its operator connects, and the newer one holds in whatever order they arrive', () => {
    const under = board();
    expect(under.chosen([{ user_id: 'anna', status: 'off', version: 7 }])).toBe(true);
    expect(under.chosen([{ user_id: 'anna', status: 'online', version: 6 }])).toBe(false);
    under.receive({ type: 'control.presence', data: { gateway_id: 'b', operators: [{ id: 'anna', name: null }] } }, 0);
    under.refresh(0);
    expect([under.operatorsOnline, states(under)]).toEqual([0, { anna: 'offline' }]);
    under.forgetChosen();
    under.refresh(0);
    expect(under.operatorsOnline).toBe(1);
  });
});
