import type { NotifyEvent, NotifySettings, OperatorStatus, QuietHours } from '@chat-realtime/protocol';

/**
 * Notification policy: who is notified of what, on which channel and after how long. docs/guides/notifications.md has
 * the same table; a test compares the two.
 */
export const NOTIFY_DELAYS = {
  /** A customer's message that nobody has read. */
  messageSeconds: 10,
  /** An operator's reply that its customer was not shown, to their device. */
  replyPushSeconds: 10,
  /** The same by mail, if a device was notified. Without a device: REPLY_UNSEEN_SECONDS. */
  replyMailAfterPushSeconds: 3_600,
  /** A mail waits at least this long, because a push may have reached the customer. */
  replyPushGraceSeconds: 60,
  /** How long an operator on duty waits, because the bot notifies them at once. */
  onDutySeconds: 10,
  /** Between two mails to one customer. */
  replyMailGapSeconds: 900,
} as const;

export type OperatorChannel = 'push' | 'mail';

export interface AwayOperator {
  readonly settings: NotifySettings;
  /** A console is open. */
  readonly connected: boolean;
  /** On duty in Telegram with a bot that runs. */
  readonly onDutyInTelegram: boolean;
  readonly status: OperatorStatus;
  readonly devices: number;
  readonly canMail: boolean;
}

/** An event from one operator's point of view. */
export interface Concern {
  readonly event: NotifyEvent;
  /** The chat or the callback request is theirs; otherwise it is unassigned. */
  readonly isTheirs: boolean;
  /**
   * Since the customer began to wait the bot has sent them something of this chat, or the callback request, or is about
   * to.
   */
  readonly isInTelegram: boolean;
}

/**
 * Whether the operator sees the event without a notice. The console shows each of these events, Telegram shows what the
 * bot has sent. The bot offers nothing new to an operator who is away, and nothing from before their duty began.
 */
export function seesItself(
  { isTheirs, isInTelegram }: Concern,
  { connected, onDutyInTelegram, status }: AwayOperator,
): boolean {
  if (connected) return true;
  if (!onDutyInTelegram || (status !== 'online' && !isTheirs)) return false;
  return isInTelegram;
}

/** The channels that notify this operator. None if they are off work or can already see the event where they are. */
export function channelsFor(concern: Concern, operator: AwayOperator, now: Date): OperatorChannel[] {
  const { event } = concern;
  const { settings, status, devices, canMail } = operator;
  if (status === 'off') return [];
  const everywhere = settings.everywhere;
  if (!everywhere && seesItself(concern, operator)) return [];
  const isQuiet = settings.quiet !== null && isWithin(settings.quiet, now);
  const push = settings.push.includes(event) && devices > 0 && !isQuiet;
  const mail = canMail && settings.email !== null && event !== 'message' && settings.mail.includes(event);
  if (push && mail && !everywhere) return ['push'];
  return [...(push ? (['push'] as const) : []), ...(mail ? (['mail'] as const) : [])];
}

/** A device is silent at night; mail waits by itself until somebody looks. */
export function isWithin({ from, to, timezone }: QuietHours, now: Date): boolean {
  const clock = new Intl.DateTimeFormat('en-GB', {
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZone: timezone,
  }).format(now);
  return from <= to ? clock >= from && clock < to : clock >= from || clock < to;
}
