// Loaded into a service before its own code: the process exits, or stops, at the step that ENDS_AT names as
// `<step>=<panic|stop>`, the first time it gets there. A step is a call to one of the service's drivers, so nothing in
// the service knows about it.
import { eachChannel, eachStatement, isEventKey, replace } from './changed-driver.ts';

const [step = '', end] = (process.env['ENDS_AT'] ?? '').split('=');
let isOver = false;

function reached(at: string): void {
  if (at !== step || isOver) return;
  isOver = true;
  // `panic` as a power cut: no handler, no flush, no goodbye. `stop` as a host that hangs: its connections stay open, and
  // whoever stopped it wakes it.
  process.kill(process.pid, end === 'panic' ? 'SIGKILL' : 'SIGSTOP');
}

/** One statement marks what was confirmed, stamps what waits, and reads what is published next. */
function aroundNextBatch(): void {
  const next = async (marks: boolean, send: () => unknown): Promise<unknown> => {
    reached('relay.beforeStamp');
    const answer: unknown = await send();
    if (rowsOf(answer) > 0) reached('relay.afterStamp');
    if (marks) reached('relay.afterMark');
    return answer;
  };
  eachStatement((statement, send) =>
    statement.name === 'feed-next' ? next(statement.values?.[0] !== null, send) : send(),
  );
}

function rowsOf(answer: unknown): number {
  const rows: unknown = typeof answer === 'object' && answer !== null ? Reflect.get(answer, 'rows') : undefined;
  if (!Array.isArray(rows)) throw new Error('an answer of pg without rows');
  return rows.length;
}

function relay(): void {
  aroundNextBatch();
  eachChannel('createConfirmChannel', (channel) =>
    replace(channel, 'publish', (publish) => (...given) => {
      const [, key] = given;
      const confirmed = given.at(-1);
      if (!isEventKey(key) || typeof confirmed !== 'function') return publish(...given);
      const answer = publish(...given.slice(0, -1), (...said: unknown[]) => {
        reached('relay.afterConfirm');
        Reflect.apply(confirmed, undefined, said);
      });
      reached('relay.afterPublish');
      return answer;
    }),
  );
}

function dispatcher(): void {
  eachChannel('createChannel', (channel) => {
    replace(channel, 'consume', (consume) => (queue, receive, options) => {
      if (typeof receive !== 'function') throw new Error('consume without a receiver');
      const handed = (message: { fields: { routingKey: string } } | null): void => {
        if (isEventKey(message?.fields.routingKey)) reached('dispatcher.afterReceive');
        Reflect.apply(receive, undefined, [message]);
      };
      return consume(queue, handed, options);
    });
    // Redis has accepted the acknowledged messages.
    replace(channel, 'ack', (ack) => (...given) => {
      reached('dispatcher.beforeAck');
      const answer = ack(...given);
      reached('dispatcher.afterAck');
      return answer;
    });
  });
}

if (end !== 'panic' && end !== 'stop') throw new Error('ENDS_AT wants <step>=<panic|stop>');
if (step.startsWith('relay.')) relay();
else if (step.startsWith('dispatcher.')) dispatcher();
else throw new Error(`nobody knows the step ${step}`);
