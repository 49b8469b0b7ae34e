/**
 * Places where a test may break the service: `FAILPOINTS="relay.before_publish=panic;gateway.send=2*sleep(100)"`.
 * Outside of NODE_ENV=test a call costs one comparison and does nothing.
 */
type Action =
  | { readonly kind: 'panic' }
  | { readonly kind: 'stop' }
  | { readonly kind: 'error' }
  | { readonly kind: 'sleep'; readonly ms: number };
interface Armed {
  readonly action: Action;
  /** How often it still fires. */
  left: number;
}

export class FailpointError extends Error {
  override readonly name = 'FailpointError';
}

const ENTRY = /^([A-Za-z0-9_.-]+)=(?:(\d+)\*)?(panic|stop|error|sleep\((\d+)\))$/;
let armed: ReadonlyMap<string, Armed> | undefined = fromEnvironment();

function fromEnvironment(): ReadonlyMap<string, Armed> | undefined {
  const text = process.env['FAILPOINTS'];
  return process.env['NODE_ENV'] === 'test' && text !== undefined && text !== '' ? parse(text) : undefined;
}

function parse(text: string): ReadonlyMap<string, Armed> {
  const points = new Map<string, Armed>();
  for (const entry of text.split(';').map((part) => part.trim())) {
    if (entry === '') continue;
    const [, name, times, word, ms] = ENTRY.exec(entry) ?? [];
    if (name === undefined || word === undefined) throw new Error(`failpoint "${entry}" is not understood`);
    const action: Action =
      word === 'panic' || word === 'stop' || word === 'error'
        ? { kind: word }
        : { kind: 'sleep', ms: Number(ms ?? '0') };
    points.set(name, { action, left: times === undefined ? Number.POSITIVE_INFINITY : Number(times) });
  }
  return points;
}

/** Arms other failpoints at run time; nothing at all disarms them. Only a test may. */
export function setFailpoints(text: string | undefined): void {
  if (process.env['NODE_ENV'] !== 'test') throw new Error('failpoints exist only with NODE_ENV=test');
  armed = text === undefined || text === '' ? undefined : parse(text);
}

/** Await it, or `void` it where only `panic` and `error` make sense. */
export function failpoint(name: string): void | Promise<void> {
  if (armed === undefined) return undefined;
  return fire(armed.get(name), name);
}

function fire(point: Armed | undefined, name: string): void | Promise<void> {
  if (point === undefined || point.left <= 0) return undefined;
  point.left -= 1;
  switch (point.action.kind) {
    case 'panic':
      // As a power cut: no handler, no flush, no goodbye.
      process.kill(process.pid, 'SIGKILL');
      return undefined;
    case 'stop':
      // As a host that hangs: its connections stay open. Whoever stopped it wakes it.
      process.kill(process.pid, 'SIGSTOP');
      return undefined;
    case 'error':
      throw new FailpointError(`failpoint ${name}`);
    case 'sleep': {
      const { ms } = point.action;
      return new Promise((resolve) => setTimeout(resolve, ms));
    }
  }
}
