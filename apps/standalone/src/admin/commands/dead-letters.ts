import {
  type DeadLetter,
  type DeadLetterBox,
  NoDeadLetterQueueError,
  walkDeadLetters,
} from '@chat-realtime/messaging/rabbitmq';
import { type AdminAnswer, type AdminCommand, type AdminContext, AdminRefusal, AdminUsageError } from '../command.ts';

const USAGE = 'dead-letters list | show <id> | replay <id>…|--all | drop <id>…|--all   [--ledger]';
/** Dead letters that are listed at most. The total is always shown. */
const LISTED = 200;

interface Chosen {
  readonly url: string;
  readonly box: DeadLetterBox;
}

/** Metadata, without the content. */
const metadata = (letter: DeadLetter) => {
  const { content: _, ...rest } = letter;
  return rest;
};

const lineOf = ({ id, reason, type, sessionId, seq, occurredAt, bytes, messageId }: DeadLetter): string =>
  [
    id,
    reason,
    type ?? messageId ?? '–',
    sessionId === null ? '–' : `${sessionId}:${seq ?? '–'}`,
    occurredAt ?? '–',
    `${bytes} B`,
  ].join('\t');

async function list({ url, box }: Chosen, progress: AdminContext['progress']): Promise<AdminAnswer> {
  progress(`reading the dead letters of the ${box}; each stays where it is …`);
  const found: DeadLetter[] = [];
  const count = await walkDeadLetters(url, box, (letter) => {
    if (found.length < LISTED) found.push(letter);
    return 'keep';
  });
  const lines = found.map(lineOf);
  if (count > found.length) lines.push(`… and ${count - found.length} more`);
  return {
    result: { count, letters: found.map(metadata) },
    text: [`${count} dead letters${count === 0 ? '' : ':'}`, ...lines].join('\n'),
  };
}

async function show({ url, box }: Chosen, id: string, progress: AdminContext['progress']): Promise<AdminAnswer> {
  progress(`looking for ${id} among the dead letters of the ${box}; each stays where it is …`);
  const found: DeadLetter[] = [];
  await walkDeadLetters(url, box, (letter) => {
    if (letter.id === id && found.length === 0) found.push(letter);
    return 'keep';
  });
  const [letter] = found;
  if (letter === undefined) throw new AdminRefusal(`there is no dead letter "${id}"`);
  const content = letter.content.toString();
  return { result: { ...metadata(letter), content }, text: `${lineOf(letter)}\n${content}` };
}

async function settle(
  { url, box }: Chosen,
  action: 'replay' | 'drop',
  wanted: readonly string[] | 'all',
  progress: AdminContext['progress'],
): Promise<AdminAnswer> {
  const missing = new Set(wanted === 'all' ? [] : wanted);
  let done = 0;
  const doing = action === 'replay' ? 'publishing again' : 'dropping';
  progress(`${doing} ${wanted === 'all' ? 'every dead letter' : `${wanted.length} dead letters`} …`);
  await walkDeadLetters(url, box, ({ id }) => {
    if (wanted !== 'all' && !wanted.includes(id)) return 'keep';
    missing.delete(id);
    done += 1;
    if (done % 100 === 0) progress(`  ${done}`);
    return action;
  });
  const said =
    action === 'replay'
      ? `${done} published again. Who has an event drops it; what is still not understood comes back here.`
      : `${done} dropped. The events themselves are in the database.`;
  return {
    result: { [action === 'replay' ? 'replayed' : 'dropped']: done, not_found: [...missing] },
    text: [said, ...[...missing].map((id) => `not found: ${id}`)].join('\n'),
    ...(missing.size === 0 ? {} : { failed: true }),
  };
}

export const deadLetters: AdminCommand = {
  async run({ args, env, progress }) {
    const box: DeadLetterBox = args.includes('--ledger') ? 'ledger' : 'dispatcher';
    const all = args.includes('--all');
    const [action, ...ids] = args.filter((arg) => !arg.startsWith('--'));
    const url = env['RABBITMQ_URL'];
    if (!url)
      throw new AdminRefusal('RABBITMQ_URL is not set: a chat in one process has no RabbitMQ and no dead letters');
    const chosen = { url, box };
    try {
      if (action === 'list' && ids.length === 0) return await list(chosen, progress);
      if (action === 'show' && ids.length === 1) return await show(chosen, ids[0] ?? '', progress);
      if ((action === 'replay' || action === 'drop') && all !== ids.length > 0)
        return await settle(chosen, action, all ? 'all' : ids, progress);
    } catch (error) {
      if (error instanceof NoDeadLetterQueueError)
        throw new AdminRefusal(`${error.message}: nothing has been rejected yet`);
      throw error;
    }
    throw new AdminUsageError(USAGE);
  },
};
