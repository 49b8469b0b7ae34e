import { describe, expect, it } from 'vitest';
import { known, type Nameless, placeOf, type Told } from './nameless.ts';

const TYPE = 'chat.session.status';
const told = (...says: string[]): Told[] =>
  says.map((word, minute) => ({ says: word, atMs: Date.parse(time(minute)) }));
const time = (minute: number) => new Date(Date.UTC(2026, 0, 10, 12, minute)).toISOString();
const given = (says: string[], more: (index: number) => Partial<Nameless> = () => ({})): Nameless[] =>
  says.map((word, index) => ({ index, sessionId: 1, type: TYPE, says: word, at: null, again: true, ...more(index) }));
const found = (events: Nameless[], tail: Told[]) => [...known(events, new Map([[placeOf(1, TYPE), tail]]))];

describe('nameless events', () => {
  it('[BES35] are known if they repeat the end of what the ledger holds', () => {
    const tail = told('active', 'closed', 'active', 'closed');
    expect(found(given(['active', 'closed']), tail)).toEqual([0, 1]);
    expect(found(given(['active', 'closed', 'active', 'closed']), tail)).toEqual([0, 1, 2, 3]);
    expect(found(given(['active', 'closed', 'new']), tail)).toEqual([0, 1]);
  });

  it('[BES35] are new if they are not at the end, and so if they change the state', () => {
    const tail = told('active', 'closed');
    expect(found(given(['active']), tail)).toEqual([]);
    expect(found(given(['new', 'active']), tail)).toEqual([]);
    expect(found(given(['active']), [])).toEqual([]);
  });

  it('[BES35] are new on their first delivery, whatever they repeat', () => {
    expect(
      found(
        given(['active', 'closed'], () => ({ again: false })),
        told('active', 'closed'),
      ),
    ).toEqual([]);
  });

  it('[BES35] are known by their time alone, even if nothing says that they are redelivered', () => {
    const at = (shift: number) => (index: number) => ({ again: false, at: time(index + shift) });
    expect(found(given(['active', 'closed'], at(0)), told('active', 'closed'))).toEqual([0, 1]);
    expect(found(given(['active', 'closed'], at(2)), told('active', 'closed'))).toEqual([]);
    expect(
      found(
        given(['active'], () => ({ at: time(9) })),
        told('active'),
      ),
    ).toEqual([]);
  });

  it('[BES35] are compared only within their session and their type', () => {
    const other = given(['active'], () => ({ sessionId: 2 }));
    expect(found(other, told('active'))).toEqual([]);
  });
});
