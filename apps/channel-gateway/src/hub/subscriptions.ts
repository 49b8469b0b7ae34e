import type { FanoutListener } from '@chat-realtime/messaging';
import { CONTROL_CHANNEL, controlMessageSchema, STAFF_CHANNEL } from '@chat-realtime/protocol';
import type { Hub } from './hub.ts';
import { parseLiveFrame } from './live-frame.ts';
import type { HubLogger } from './ports.ts';
import type { SessionChannel } from './session-channel.ts';

const SESSION_PREFIX = 'chat:';
const PATIENCE_MS = 2_000;

/** For calls whose failure costs speed and never correctness: true if it went well. */
export async function quietly(logger: HubLogger, what: string, call: Promise<void>): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (error) {
    logger.debug({ err: error, call: what }, 'the fan-out or lease store did not answer');
    return false;
  }
}

/** The answer, or null when it does not come in time. */
async function withinPatience(answer: Promise<boolean>): Promise<boolean | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), PATIENCE_MS);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What the hub hears on the fan-out. One listener serves all session channels: a channel owns no closure. */
export class Subscriptions {
  readonly #hub: Hub;

  constructor(hub: Hub) {
    this.#hub = hub;
  }

  async start(): Promise<void> {
    const hub = this.#hub;
    hub.options.fanout.onState((state) => {
      hub.livePath.fanoutConnected(state.kind !== 'disconnected');
      if (state.kind === 'disconnected') return;
      if (state.kind === 'resubscribed') hub.metrics.resubscribed();
      this.#again();
      hub.headCheck.hurry();
    });
    await this.#subscribe(CONTROL_CHANNEL, this.#onControl);
  }

  /** A fan-out that does not answer must not keep a client waiting: he is served by the head check until it does. */
  async session(channel: SessionChannel): Promise<void> {
    const hub = this.#hub;
    const confirmed = this.#subscribe(channel.name, this.#onSession);
    const isCurrent = (): boolean => hub.channels.get(channel.id) === channel;
    if ((await withinPatience(confirmed)) === null && isCurrent()) channel.subscriptionSettled(false);
    const subscribed = await confirmed;
    if (!isCurrent()) return;
    const late = channel.state.kind === 'live';
    channel.subscriptionSettled(subscribed);
    if (!subscribed || !late) return;
    // Published between the reading and now: heard by nobody.
    hub.round.wantHeads([channel]);
    hub.scheduler.request();
  }

  async staff(): Promise<void> {
    const { staff, scheduler } = this.#hub;
    const confirmed = this.#subscribe(STAFF_CHANNEL, this.#onStaff);
    if ((await withinPatience(confirmed)) === null) staff.subscriptionSettled(false);
    staff.subscriptionSettled(await confirmed);
    staff.wantFeed();
    scheduler.request();
  }

  async releaseSession(channel: SessionChannel): Promise<void> {
    await this.#quietly('unsubscribe', this.#hub.options.fanout.unsubscribe(channel.name, this.#onSession));
  }

  async releaseStaff(): Promise<void> {
    await this.#quietly('unsubscribe', this.#hub.options.fanout.unsubscribe(STAFF_CHANNEL, this.#onStaff));
  }

  publish(channel: string, message: object): Promise<boolean> {
    return this.#quietly(
      'publish',
      this.#hub.options.fanout.execute([{ kind: 'publish', channel, payload: JSON.stringify(message) }]),
    );
  }

  readonly #onSession: FanoutListener = (payload, name) => {
    const channel = this.#hub.channels.get(Number(name.slice(SESSION_PREFIX.length)));
    const frame = channel === undefined ? null : parseLiveFrame(payload);
    if (frame !== null) channel?.receive(frame);
  };

  readonly #onStaff: FanoutListener = (payload) => {
    const frame = parseLiveFrame(payload);
    if (frame !== null) this.#hub.staff.receive(frame);
  };

  readonly #onControl: FanoutListener = (payload) => {
    const frame = parseLiveFrame(payload);
    const parsed = controlMessageSchema.safeParse(frame === null ? null : { type: frame.type, data: frame.data });
    if (!parsed.success) return;
    const message = parsed.data;
    const hub = this.#hub;
    switch (message.type) {
      case 'control.tick':
        hub.livePath.ticked(performance.now());
        if (message.data.revocations_head > hub.round.revocationsRead) {
          hub.round.wantRevocations();
          hub.scheduler.request();
        }
        break;
      case 'control.revoked':
        hub.revoke([message.data]);
        break;
      case 'control.presence':
        hub.presence.receive(message, performance.now());
        break;
      case 'control.status':
        hub.learnStatuses([message.data]);
        break;
      case 'control.displaced':
        hub.displaced(message.data.connection_id);
        break;
    }
  };

  async #subscribe(name: string, listener: FanoutListener): Promise<boolean> {
    const done = await this.#quietly('subscribe', this.#hub.options.fanout.subscribe(name, listener));
    await this.#hub.options.failpoint('gw.afterSubscribe');
    return done;
  }

  /** The fan-out is back: what could not be subscribed while it was away is now. */
  #again(): void {
    const { channels, staff } = this.#hub;
    void this.#subscribe(CONTROL_CHANNEL, this.#onControl);
    for (const channel of channels.values())
      if (!channel.subscribed && channel.state.kind !== 'subscribing') void this.session(channel);
    if (!staff.subscribed && staff.state.kind !== 'idle' && staff.state.kind !== 'subscribing') void this.staff();
  }

  #quietly(what: string, call: Promise<void>): Promise<boolean> {
    return quietly(this.#hub.options.logger, what, call);
  }
}
