import type { ConnectionStatus } from '../src/index.ts';
import type { Connection } from '../src/connection/connection.ts';

/** The state of a connection: what it reports, and what is open. */
export type Phase =
  | 'idle'
  /** Token and cursor are being got. */
  | 'preparing'
  /** A transport is being opened. */
  | 'opening'
  | 'online'
  /** Online, and another transport is being opened beside it. */
  | 'replacing'
  | 'waiting'
  /** Waiting for the page, not for a time. */
  | 'suspended'
  | 'stopped';

/** The phases of each state that is reported: a new state needs a row here. */
export const PHASES: Readonly<Record<ConnectionStatus, readonly Phase[]>> = {
  idle: ['idle'],
  connecting: ['preparing', 'opening'],
  online: ['online', 'replacing'],
  waiting: ['waiting', 'suspended'],
  stopped: ['stopped'],
};

/** What its owner calls; of the others nothing depends on the phase. */
type OwnerEvent = Exclude<keyof Connection, 'state' | 'transport' | 'recall' | 'send'>;

export type Event =
  | OwnerEvent
  | 'wake, network changed'
  | 'prepared'
  | 'prepare: unavailable'
  | 'prepare: token refused'
  | 'prepare: forbidden'
  | 'ready'
  | 'closed 1006'
  | 'closed 1012'
  | 'closed 4401'
  | 'closed 4503'
  | 'closed 4529'
  | 'replacement ready'
  | 'replacement closed'
  | 'timer: retry'
  | 'timer: probe'
  | 'timer: renewal'
  | 'timer: goodbye'
  | 'timer: not ready in time'
  | 'timer: no answer to a ping'
  | 'late: prepared'
  | 'late: renewed'
  | 'late: a frame of a connection that was left'
  | 'late: its end';

/** `ignored`: it may come, and nothing follows. `–`: it cannot come there. */
type Cell = Phase | 'ignored' | '–';

const IGNORED = {
  idle: 'ignored',
  preparing: 'ignored',
  opening: 'ignored',
  online: 'ignored',
  replacing: 'ignored',
  waiting: 'ignored',
  suspended: 'ignored',
  stopped: 'ignored',
} as const satisfies Record<Phase, Cell>;

const NEVER = {
  idle: '–',
  preparing: '–',
  opening: '–',
  online: '–',
  replacing: '–',
  waiting: '–',
  suspended: '–',
  stopped: '–',
} as const satisfies Record<Phase, Cell>;

/** Event × phase → the phase that follows. A new event or phase without a decision does not compile. */
export const TRANSITIONS: Readonly<Record<Event, Readonly<Record<Phase, Cell>>>> = {
  connect: { ...IGNORED, idle: 'preparing', stopped: 'preparing' },
  disconnect: {
    idle: 'ignored',
    preparing: 'idle',
    opening: 'idle',
    online: 'idle',
    replacing: 'idle',
    waiting: 'idle',
    suspended: 'idle',
    stopped: 'idle',
  },
  suspend: {
    idle: 'ignored',
    preparing: 'suspended',
    opening: 'suspended',
    online: 'suspended',
    replacing: 'suspended',
    waiting: 'suspended',
    suspended: 'suspended',
    stopped: 'ignored',
  },
  wake: { ...IGNORED, online: 'online', replacing: 'replacing', waiting: 'preparing', suspended: 'preparing' },
  'wake, network changed': {
    ...IGNORED,
    online: 'online',
    replacing: 'replacing',
    waiting: 'preparing',
    suspended: 'preparing',
  },
  prepared: { ...NEVER, preparing: 'opening' },
  'prepare: unavailable': { ...NEVER, preparing: 'waiting' },
  'prepare: token refused': { ...NEVER, preparing: 'preparing' },
  'prepare: forbidden': { ...NEVER, preparing: 'stopped' },
  ready: { ...NEVER, opening: 'online', online: 'online', replacing: 'replacing' },
  'closed 1006': { ...NEVER, opening: 'waiting', online: 'waiting', replacing: 'opening' },
  'closed 1012': { ...NEVER, opening: 'preparing', online: 'preparing', replacing: 'opening' },
  'closed 4401': { ...NEVER, opening: 'preparing', online: 'preparing', replacing: 'opening' },
  'closed 4503': { ...NEVER, opening: 'stopped', online: 'stopped', replacing: 'opening' },
  'closed 4529': { ...NEVER, opening: 'preparing', online: 'preparing', replacing: 'opening' },
  'replacement ready': { ...NEVER, replacing: 'online' },
  'replacement closed': { ...NEVER, replacing: 'online' },
  'timer: retry': { ...NEVER, waiting: 'preparing' },
  'timer: probe': { ...NEVER, online: 'replacing' },
  'timer: renewal': { ...NEVER, online: 'online', replacing: 'replacing' },
  'timer: goodbye': { ...NEVER, online: 'replacing', replacing: 'ignored' },
  'timer: not ready in time': { ...NEVER, opening: 'waiting', replacing: 'online' },
  'timer: no answer to a ping': { ...NEVER, online: 'waiting', replacing: 'opening' },
  'late: prepared': IGNORED,
  'late: renewed': IGNORED,
  'late: a frame of a connection that was left': IGNORED,
  'late: its end': IGNORED,
};

const BEGIN = ['is connecting', 'prepare'];
const SAME_WHEN_WOKEN = { online: ['sent ping'], replacing: ['sent ping'], waiting: BEGIN, suspended: BEGIN };

/** What a connection does and says on each way of the table, in order. */
export const EFFECTS: Readonly<Partial<Record<Event, Readonly<Partial<Record<Phase, readonly string[]>>>>>> = {
  connect: { idle: BEGIN, stopped: BEGIN },
  disconnect: {
    preparing: ['is idle'],
    opening: ['closed', 'is idle'],
    online: ['closed', 'is idle'],
    replacing: ['closed', 'closed', 'is idle'],
    waiting: ['is idle'],
    suspended: ['is idle'],
    stopped: ['is idle'],
  },
  suspend: {
    preparing: ['is waiting'],
    opening: ['closed', 'is waiting'],
    online: ['closed', 'is waiting'],
    replacing: ['closed', 'closed', 'is waiting'],
    waiting: ['is waiting'],
    suspended: ['is waiting'],
  },
  wake: SAME_WHEN_WOKEN,
  'wake, network changed': SAME_WHEN_WOKEN,
  prepared: { preparing: ['opened'] },
  'prepare: unavailable': { preparing: ['is waiting'] },
  'prepare: token refused': { preparing: ['expire', ...BEGIN] },
  'prepare: forbidden': { preparing: ['is stopped'] },
  ready: { opening: ['is online', 'ready'], online: ['channel.ready'], replacing: ['channel.ready'] },
  'closed 1006': { opening: ['is waiting'], online: ['is waiting'], replacing: ['is connecting'] },
  'closed 1012': { opening: BEGIN, online: BEGIN, replacing: ['is connecting'] },
  'closed 4401': { opening: ['expire', ...BEGIN], online: ['expire', ...BEGIN], replacing: ['is connecting'] },
  'closed 4503': { opening: ['is stopped'], online: ['is stopped'], replacing: ['is connecting'] },
  'closed 4529': { opening: BEGIN, online: BEGIN, replacing: ['is connecting'] },
  'replacement ready': { replacing: ['closed', 'is online', 'ready'] },
  'replacement closed': { replacing: [] },
  'timer: retry': { waiting: BEGIN },
  'timer: probe': { online: [...BEGIN, 'is online', 'ready', 'opened'] },
  'timer: renewal': { online: ['renew', 'sent auth'], replacing: ['renew', 'sent auth'] },
  'timer: goodbye': { online: ['opened'] },
  'timer: not ready in time': { opening: ['closed', 'is waiting'], replacing: ['closed'] },
  'timer: no answer to a ping': {
    online: ['sent ping', 'closed', 'is waiting'],
    replacing: ['sent ping', 'closed', 'is connecting'],
  },
};

export const ALL_PHASES = Object.values(PHASES).flat();
export const ALL_EVENTS = Object.keys(TRANSITIONS) as readonly Event[];

/** As it is in docs/sdk.md. */
export function renderTable(): string {
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rows = ALL_EVENTS.map((event) => row([event, ...ALL_PHASES.map((phase) => TRANSITIONS[event][phase])]));
  return [row(['event', ...ALL_PHASES]), row(['---', ...ALL_PHASES.map(() => '---')]), ...rows].join('\n');
}
