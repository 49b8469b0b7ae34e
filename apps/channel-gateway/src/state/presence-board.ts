import type {
  ChosenStatus,
  ControlMessage,
  OperatorStatus,
  PresenceState,
  StaffPresenceData,
} from '@chat-realtime/protocol';
import type { StaffPrincipal } from '@chat-realtime/verifier';

/** How long operators of another gateway count without being repeated. */
const REMOTE_TTL_MS = 15_000;
/** An operator whose page reloads must not disappear and reappear for everyone. */
const LINGER_MS = 5_000;

export type PresenceMessage = Extract<ControlMessage, { type: 'control.presence' }>;
type RemoteOperator = PresenceMessage['data']['operators'][number];
type PresenceUser = StaffPresenceData['users'][number];

interface LocalOperator {
  name: string | null;
  connections: number;
  viewing: number | null;
  leftAt: number;
}

const STATE_BY_STATUS: Readonly<Record<OperatorStatus, PresenceState>> = {
  online: 'online',
  away: 'away',
  off: 'offline',
};

/** The operators connected anywhere: to this gateway, and to others according to their messages. */
export class PresenceBoard {
  readonly #gatewayId: string;
  readonly #local = new Map<string, LocalOperator>();
  readonly #remote = new Map<string, { at: number; operators: readonly RemoteOperator[] }>();
  /** The chosen status of operators, connected or not, so that it applies from the first moment of a connection. */
  readonly #chosen = new Map<string, ChosenStatus>();
  #users: readonly PresenceUser[] = [];
  #fingerprint = '[]';

  constructor(gatewayId: string) {
    this.#gatewayId = gatewayId;
  }

  get users(): readonly PresenceUser[] {
    return this.#users;
  }

  /** The operators who are available to customers. */
  get operatorsOnline(): number {
    return this.#users.filter(({ state }) => state === 'online').length;
  }

  get hasLocal(): boolean {
    return this.#local.size > 0;
  }

  joined(principal: StaffPrincipal): void {
    const known = this.#local.get(principal.userId);
    if (known === undefined)
      this.#local.set(principal.userId, { name: principal.name, connections: 1, viewing: null, leftAt: 0 });
    else {
      known.connections += 1;
      known.name = principal.name;
    }
  }

  /** `viewing`: the session that the closed connection was viewing. */
  left(principal: StaffPrincipal, viewing: number | null, now: number): void {
    const known = this.#local.get(principal.userId);
    if (known === undefined) return;
    known.connections -= 1;
    if (viewing !== null && known.viewing === viewing) known.viewing = null;
    if (known.connections <= 0) known.leftAt = now;
  }

  viewing(principal: StaffPrincipal, sessionId: number | null): void {
    const known = this.#local.get(principal.userId);
    if (known !== undefined) known.viewing = sessionId;
  }

  /** A message of another gateway. A gateway receives its own messages too, and ignores them. */
  receive({ data }: PresenceMessage, now: number): void {
    if (data.gateway_id === this.#gatewayId) return;
    if (data.operators.length === 0) this.#remote.delete(data.gateway_id);
    else this.#remote.set(data.gateway_id, { at: now, operators: data.operators });
  }

  /** In any order: of two choices by one operator the newer one counts. True if one was new. */
  chosen(statuses: readonly ChosenStatus[]): boolean {
    let hasChanged = false;
    for (const status of statuses) {
      const known = this.#chosen.get(status.user_id);
      if (known !== undefined && known.version >= status.version) continue;
      this.#chosen.set(status.user_id, status);
      hasChanged = true;
    }
    return hasChanged;
  }

  /** Another database has other choices, whose versions start again. */
  forgetChosen(): void {
    this.#chosen.clear();
  }

  /** Removes operators who are gone; true if what people see has changed since the last call. */
  refresh(now: number): boolean {
    for (const [userId, operator] of this.#local) {
      if (operator.connections <= 0 && now - operator.leftAt >= LINGER_MS) this.#local.delete(userId);
    }
    for (const [gatewayId, remote] of this.#remote) if (now - remote.at > REMOTE_TTL_MS) this.#remote.delete(gatewayId);
    this.#users = this.#union();
    const fingerprint = JSON.stringify(this.#users);
    if (fingerprint === this.#fingerprint) return false;
    this.#fingerprint = fingerprint;
    return true;
  }

  message(): PresenceMessage {
    const operators = [...this.#local].map(([id, { name, viewing }]) => ({
      id,
      name,
      ...(viewing === null ? {} : { viewing }),
    }));
    return { type: 'control.presence', data: { gateway_id: this.#gatewayId, operators } };
  }

  /** For chat-service, with the catch-up call. */
  report(): { gateway_id: string; operators: { id: string; name: string | null }[] } {
    return { gateway_id: this.#gatewayId, operators: [...this.#local].map(([id, { name }]) => ({ id, name })) };
  }

  #union(): readonly PresenceUser[] {
    const users = new Map<string, PresenceUser>();
    const add = (id: string, name: string | null, viewing: number | null | undefined): void => {
      const looked = viewing ?? users.get(id)?.viewing;
      const state = STATE_BY_STATUS[this.#chosen.get(id)?.status ?? 'online'];
      users.set(id, { id, name, state, ...(looked === undefined ? {} : { viewing: looked }) });
    };
    for (const { operators } of this.#remote.values())
      for (const { id, name, viewing } of operators) add(id, name, viewing);
    for (const [id, { name, viewing }] of this.#local) add(id, name, viewing);
    return [...users.values()].sort((left, right) => (left.id < right.id ? -1 : 1));
  }
}
