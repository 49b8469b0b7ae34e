import type { Leases } from '@chat-realtime/messaging';
import type { CloseReason } from '@chat-realtime/protocol';
import type { Principal, RefusalCode, RevocationView, Verdict } from '@chat-realtime/verifier';
import type { CoreMetrics, HandshakeResult } from '../core-metrics.ts';
import type { Verifier } from '../ports.ts';
import type { Connection, ConnectionState, StartCursor } from './connection.ts';
import type { Credentials } from './credentials.ts';
import type { Registry } from './registry.ts';
import type { Rollout } from './rollout.ts';

const CLOSE_OF_REFUSAL: Readonly<Record<RefusalCode, CloseReason>> = {
  missing_credentials: 'bad_token',
  bad_token: 'bad_token',
  token_expired: 'token_expired',
  token_revoked: 'revoked',
  forbidden: 'forbidden',
  unavailable: 'try_again_later',
};
const RESULT_OF_REFUSAL: Readonly<Record<RefusalCode, HandshakeResult>> = {
  missing_credentials: 'token',
  bad_token: 'token',
  token_expired: 'expired',
  token_revoked: 'token',
  forbidden: 'token',
  unavailable: 'overload',
};

export interface ConnectionLimits {
  /** 0 = off, as for all limits. */
  readonly maxTabsPerSession: number;
  readonly maxConnectionsPerToken: number;
  readonly maxOperators: number;
}

export interface AdmissionOptions {
  readonly registry: Registry;
  readonly verifier: Verifier;
  readonly revocations: RevocationView;
  readonly leases: Leases;
  readonly limits: ConnectionLimits;
  readonly rollout: Rollout;
  readonly metrics: CoreMetrics;
  /** The connection is admitted, and its stream can start. */
  readonly enter: (connection: Connection, start: StartCursor) => void;
  /** It presented a new token of the same person, whose rights may differ. */
  readonly renew: (connection: Connection, principal: Principal) => void;
  /** The connection with this id lost its slot to a new one and is at another gateway. */
  readonly displacedElsewhere: (connectionId: string) => void;
}

/** From a transport to an admitted connection: checks who it is, and whether there is a slot. */
export class Admission {
  readonly #options: AdmissionOptions;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  async admit(connection: Connection, credentials: Credentials): Promise<void> {
    if (!connection.verify()) return;
    const { state } = connection;
    const { registry, rollout, revocations, metrics, enter } = this.#options;
    try {
      const verdict = await this.#verify(credentials);
      // It may have closed, or timed out, while the keys were fetched.
      if (connection.state !== state) return;
      if (!verdict.ok) {
        this.#refuse(connection, RESULT_OF_REFUSAL[verdict.code], CLOSE_OF_REFUSAL[verdict.code]);
        return;
      }
      const { principal } = verdict;
      if (!rollout.admits(principal)) {
        this.#refuse(connection, 'off', 'channel_off');
        return;
      }
      const replaces = credentials.kind === 'stream_link' ? undefined : credentials.replaces;
      if (!(await this.#takeSlot(connection, principal, replaces, state))) return;
      // It was revoked while it waited for its slot, when it was not yet among the connections.
      if (revocations.isRevoked(principal)) {
        this.#refuse(connection, RESULT_OF_REFUSAL.token_revoked, 'revoked');
        return;
      }
      metrics.handshake(connection.transport.kind, 'ok');
      connection.admit(principal);
      enter(connection, credentials.start);
    } catch (error) {
      registry.failed(connection, error);
    }
  }

  /** A new token for an open connection: it must be for the same session or user. */
  async refresh(connection: Connection, credentials: Credentials): Promise<void> {
    const { registry, renew } = this.#options;
    const { principal } = connection;
    try {
      const verdict = await this.#verify(credentials);
      if (principal === null || connection.isOver) return;
      if (!verdict.ok) {
        registry.close(connection, CLOSE_OF_REFUSAL[verdict.code]);
        return;
      }
      if (!samePerson(principal, verdict.principal)) {
        registry.close(connection, 'forbidden');
        return;
      }
      renew(connection, verdict.principal);
      const expiresAt = new Date(connection.expiresAt).toISOString();
      registry.send(connection, { type: 'channel.refreshed', data: { expires_at: expiresAt } });
    } catch (error) {
      registry.failed(connection, error);
    }
  }

  #refuse(connection: Connection, result: HandshakeResult, reason: CloseReason): void {
    this.#options.metrics.handshake(connection.transport.kind, result);
    this.#options.registry.close(connection, reason);
  }

  async #verify(credentials: Credentials): Promise<Verdict<Principal>> {
    const { verifier } = this.#options;
    if (credentials.kind === 'staff') return verifier.verifyStaff(credentials.token);
    if (credentials.sessionId === null) return { ok: false, code: 'bad_token' };
    if (credentials.kind === 'stream_link')
      return verifier.verifyStreamLink(credentials.sessionId, credentials.signature);
    return verifier.verifyCustomer(credentials.sessionId, credentials.token);
  }

  async #takeSlot(
    connection: Connection,
    principal: Principal,
    replaces: string | undefined,
    state: ConnectionState,
  ): Promise<boolean> {
    // A poll that does not wait ends at once and is not counted.
    if (connection.transport.kind === 'poll' && connection.transport.waitMs === 0) return true;
    const { leases, limits, registry } = this.#options;
    const key = principal.kind === 'customer' ? `session:${principal.sessionId}` : `staff:${principal.userId}`;
    const limit = principal.kind === 'customer' ? limits.maxTabsPerSession : limits.maxConnectionsPerToken;
    const grouped = principal.kind === 'staff' && limits.maxOperators > 0;
    const result = await leases.acquire({
      key,
      limit: limit > 0 ? limit : Number.MAX_SAFE_INTEGER,
      holder: connection.id,
      ...(grouped ? { group: { key: 'operators', member: principal.userId, limit: limits.maxOperators } } : {}),
      ...(replaces === undefined ? {} : { replaces }),
    });
    if (connection.state !== state) {
      if (result.kind === 'granted') await registry.releaseLease(key, connection.id);
      return false;
    }
    if (result.kind === 'refused') {
      this.#refuse(connection, 'limit', 'connection_limit');
      return false;
    }
    connection.holdLease(key);
    for (const id of result.displaced) this.#displace(id);
    return true;
  }

  #displace(connectionId: string): void {
    const connection = this.#options.registry.get(connectionId);
    if (connection === undefined) this.#options.displacedElsewhere(connectionId);
    else this.#options.registry.close(connection, 'timeout');
  }
}

function samePerson(before: Principal, after: Principal): boolean {
  if (before.kind === 'customer') return after.kind === 'customer' && after.sessionId === before.sessionId;
  return after.kind === 'staff' && after.userId === before.userId;
}
