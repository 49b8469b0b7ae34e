import { type CallbackStatus, callbackStatusSchema, parseId } from '@chat-realtime/protocol';

export interface Command {
  readonly name: string;
  readonly argument: string;
}

/** `/login ABC` and `/login@shop_bot ABC`; null for anything else. */
export function parseCommand(text: string): Command | null {
  const match = /^\/([a-z_]{1,32})(?:@\w+)?(?:\s+([\s\S]*))?$/i.exec(text.trim());
  if (match?.[1] === undefined) return null;
  return { name: match[1].toLowerCase(), argument: (match[2] ?? '').trim() };
}

/** What an operator may say, besides `/login` and `/start`; the guide's table has the same, in this order. */
export const STAFF_COMMANDS = ['open', 'mine', 'status', 'callbacks', 'logout', 'help'] as const;
export type StaffCommand = (typeof STAFF_COMMANDS)[number];

export function staffCommand(name: string): StaffCommand | null {
  return STAFF_COMMANDS.find((command) => command === name) ?? null;
}

/** The action of a button. */
export type ButtonAction =
  | { readonly kind: 'assign' | 'close' | 'reopen' | 'note'; readonly sessionId: number }
  | { readonly kind: 'callback'; readonly id: number; readonly status: CallbackStatus }
  | { readonly kind: 'duty'; readonly status: 'online' | 'away' | 'off' };

export function buttonData(action: ButtonAction): string {
  switch (action.kind) {
    case 'callback':
      return `callback:${action.id}:${action.status}`;
    case 'duty':
      return `duty:${action.status}`;
    default:
      return `${action.kind}:${action.sessionId}`;
  }
}

/** Null for data that no button of ours has. */
export function parseButton(data: string): ButtonAction | null {
  const [kind, first = '', second = ''] = data.split(':');
  if (kind === 'duty')
    return first === 'online' || first === 'away' || first === 'off' ? { kind, status: first } : null;
  const id = parseId(first);
  if (id === undefined) return null;
  if (kind === 'assign' || kind === 'close' || kind === 'reopen' || kind === 'note') return { kind, sessionId: id };
  if (kind !== 'callback') return null;
  const status = callbackStatusSchema.safeParse(second);
  return status.success ? { kind, id, status: status.data } : null;
}

/** What `/status` was given; null for a word that says nothing. */
export function parseStatus(word: string): 'online' | 'away' | 'off' | null {
  switch (word.toLowerCase()) {
    case 'online':
    case 'on':
      return 'online';
    case 'away':
      return 'away';
    case 'off':
    case 'offline':
      return 'off';
    default:
      return null;
  }
}
