import type { CloseReason } from '@chat-realtime/protocol';
import { CONTROL_CHANNEL } from '@chat-realtime/protocol';
import type { CustomerPrincipal, Principal, RefusalCode, Verdict } from '@chat-realtime/verifier';
import { type Connection, type ConnectionState, LIVE } from './connection.ts';
import type { Credentials } from './credentials.ts';
import type { Hub } from './hub.ts';
import type { HandshakeResult } from './metrics.ts';

/** A channel read this recently need not be read again for a poll that is level with it. */
const FRESH_MS = 15_000;

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

/** From a transport to a place in a channel: who is it, is there a slot, where does it begin. */
export class Admission {
  readonly #hub: Hub;

  constructor(hub: Hub) {
    this.#hub = hub;
  }

  async admit(connection: Connection, credentials: Credentials): Promise<void> {
    const { state } = connection;
    if (state.kind !== 'authenticating' || state.verifying) return;
    state.verifying = true;
    try {
      const verdict = await this.#verify(credentials);
      // It may have left, or run out of time, while the keys were fetched.
      if (connection.state !== state) return;
      if (!verdict.ok) {
        this.#hub.metrics.handshake(connection.transport.kind, RESULT_OF_REFUSAL[verdict.code]);
        this.#hub.close(connection, CLOSE_OF_REFUSAL[verdict.code]);
        return;
      }
      const { principal } = verdict;
      if (!this.#hub.options.config.rollout.admits(principal)) {
        this.#hub.metrics.handshake(connection.transport.kind, 'off');
        this.#hub.close(connection, 'channel_off');
        return;
      }
      const replaces = credentials.kind === 'stream_link' ? undefined : credentials.replaces;
      if (!(await this.#takeSlot(connection, principal, replaces, state))) return;
      // Revoked while it waited for its slot: nobody found it among the connections then.
      if (this.#hub.options.revocations.isRevoked(principal)) {
        this.#hub.metrics.handshake(connection.transport.kind, RESULT_OF_REFUSAL.token_revoked);
        this.#hub.close(connection, 'revoked');
        return;
      }
      this.#hub.metrics.handshake(connection.transport.kind, 'ok');
      this.#enter(connection, principal, credentials);
    } catch (error) {
      this.#hub.failed(connection, error);
    }
  }

  /** A new token for an open connection: the same session or user, else it is another one's. */
  async refresh(connection: Connection, credentials: Credentials): Promise<void> {
    const { principal } = connection;
    try {
      const verdict = await this.#verify(credentials);
      if (principal === null || connection.state.kind === 'closing' || connection.state.kind === 'closed') return;
      if (!verdict.ok) {
        this.#hub.close(connection, CLOSE_OF_REFUSAL[verdict.code]);
        return;
      }
      if (!samePerson(principal, verdict.principal)) {
        this.#hub.close(connection, 'forbidden');
        return;
      }
      this.#replacePrincipal(connection, verdict.principal);
      const expiresAt = new Date(connection.expiresAt).toISOString();
      this.#hub.send(connection, { type: 'channel.refreshed', data: { expires_at: expiresAt } });
    } catch (error) {
      this.#hub.failed(connection, error);
    }
  }

  async #verify(credentials: Credentials): Promise<Verdict<Principal>> {
    const { verifier } = this.#hub.options;
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
    // A poll that does not wait is over at once and counts for nothing.
    if (connection.transport.kind === 'poll' && connection.transport.waitMs === 0) return true;
    const { leases, config } = this.#hub.options;
    const unlimited = Number.MAX_SAFE_INTEGER;
    const key = principal.kind === 'customer' ? `session:${principal.sessionId}` : `staff:${principal.userId}`;
    const limit = principal.kind === 'customer' ? config.maxTabsPerSession : config.maxConnectionsPerToken;
    const grouped = principal.kind === 'staff' && config.maxOperators > 0;
    const result = await leases.acquire({
      key,
      limit: limit > 0 ? limit : unlimited,
      holder: connection.id,
      ...(grouped ? { group: { key: 'operators', member: principal.userId, limit: config.maxOperators } } : {}),
      ...(replaces === undefined ? {} : { replaces }),
    });
    if (connection.state !== state) {
      if (result.kind === 'granted') await this.#hub.releaseLease(key, connection.id);
      return false;
    }
    if (result.kind === 'refused') {
      this.#hub.metrics.handshake(connection.transport.kind, 'limit');
      this.#hub.close(connection, 'connection_limit');
      return false;
    }
    connection.leaseKey = key;
    for (const displaced of result.displaced) this.#displace(displaced);
    return true;
  }

  #displace(connectionId: string): void {
    if (this.#hub.connections.has(connectionId)) this.#hub.displaced(connectionId);
    else void this.#hub.publish(CONTROL_CHANNEL, { type: 'control.displaced', data: { connection_id: connectionId } });
  }

  #enter(connection: Connection, principal: Principal, credentials: Credentials): void {
    connection.principal = principal;
    connection.expiresAt = principal.expiresAt * 1_000;
    this.#setDue(connection);
    if (principal.kind === 'customer' && credentials.kind !== 'staff') {
      this.#enterSession(connection, principal, credentials);
    } else if (principal.kind === 'staff' && credentials.kind === 'staff') {
      connection.state = {
        kind: 'catching_up',
        channel: 'staff',
        start: credentials.start,
        cursor: null,
      };
      this.#hub.presence.joined(principal);
      this.#hub.refreshPresence(performance.now());
      this.#hub.joinStaff(connection);
    }
  }

  #enterSession(
    connection: Connection,
    principal: CustomerPrincipal,
    credentials: Exclude<Credentials, { kind: 'staff' }>,
  ): void {
    const { start } = credentials;
    const channel = this.#hub.channelOf(principal.sessionId);
    const { transport } = connection;
    if (
      transport.kind === 'poll' &&
      transport.waitMs > 0 &&
      start.kind === 'after' &&
      start.cursor === channel.cursor
    ) {
      const fresh =
        channel.state.kind === 'live' && channel.subscribed && performance.now() - channel.verifiedAt < FRESH_MS;
      if (fresh && !channel.behind) {
        // Level with a channel that is up to date: nothing to ask, so polling costs chat-service nothing.
        connection.state = LIVE;
        channel.emptySince = 0;
        channel.live.flush();
        channel.live.add(connection);
        this.#hub.wentLive(connection);
        return;
      }
    }
    connection.state = { kind: 'catching_up', channel: 'session', start, cursor: -1, askedBefore: channel.timesAsked };
    channel.attach(connection);
  }

  #setDue(connection: Connection): void {
    const { transport } = connection;
    const now = performance.now();
    if (transport.kind === 'poll') connection.dueAt = now + transport.waitMs;
    // Jittered, so that connections made together are not pinged together for ever.
    else connection.dueAt = now + Math.random() * this.#hub.sweeper.pingIntervalMs(transport.kind);
  }

  #replacePrincipal(connection: Connection, principal: Principal): void {
    const scopeBefore = connection.principal?.kind === 'staff' ? connection.principal.scope : null;
    const regroup = principal.kind === 'staff' && scopeBefore !== principal.scope && connection.state === LIVE;
    if (regroup) {
      this.#hub.staff.audiences.flush();
      this.#hub.staff.audiences.remove(connection);
    }
    connection.principal = principal;
    connection.expiresAt = principal.expiresAt * 1_000;
    if (regroup) this.#hub.staff.audiences.add(connection);
  }
}

function samePerson(before: Principal, after: Principal): boolean {
  if (before.kind === 'customer') return after.kind === 'customer' && after.sessionId === before.sessionId;
  return after.kind === 'staff' && after.userId === before.userId;
}
