/**
 * The page's own connection to the server. It works while the simulated network is cut, because it measures and is not
 * measured.
 */

/** A cookie that no script sees proves the permission; the header shows that this page makes the request. */
const OWN_HEADER = { 'x-try': 'page' };

export const EXPERIMENTS = ['messages', 'network', 'drop', 'dispatcher', 'wipe'] as const;
export type ExperimentName = (typeof EXPERIMENTS)[number];

/** Runs of the buttons, by the numbers that `runExperiment` answers. */
export interface Progress {
  readonly last: number;
  readonly running: readonly number[];
  readonly failed: readonly number[];
}

export interface PathState {
  readonly hops: Readonly<Record<'queued' | 'taken' | 'dropped' | 'fanned' | 'arrived' | 'wiped' | 'checked', number>>;
  /** Events in the queue that nobody has consumed. */
  readonly waiting: number;
  readonly dropArmed: boolean;
  readonly experiments: Progress;
  readonly dispatcherBackInMs: number | null;
  readonly networkBackInMs: number | null;
}

async function call(path: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(path, { ...init, headers: { ...init.headers, ...OWN_HEADER } });
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response;
}

/** Answers the number of this run; the path's state says when it is over. */
export async function runExperiment(name: ExperimentName, session: number, language: string): Promise<number> {
  const response = await call('/try/api/experiment', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name, session, language }),
  });
  return ((await response.json()) as { run: number }).run;
}

/** The chat of this visit; it is removed with the demo. */
export async function tellBegun(session: number): Promise<void> {
  await call('/try/api/begun', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ session }),
  });
}

/** REST of the chat itself, as the signed-in operator. */
export async function rest<T>(method: 'GET' | 'POST', path: string, bearer: string): Promise<T> {
  const response = await call(path, { method, headers: { authorization: `Bearer ${bearer}` } });
  return (await response.json()) as T;
}

/** Signs in without a password: the server has it, and this page was let in. */
export const signInFetch: typeof fetch = (input, init) =>
  String(input).endsWith('/auth/login') ? call('/try/api/sign-in', { method: 'POST' }) : fetch(input, init);

/** Reconnects by itself, as browsers do. */
function follow(path: string, session: number, heard: (data: unknown) => void): void {
  const stream = new EventSource(`${path}?session=${session}`);
  stream.onmessage = ({ data }: MessageEvent<string>) => heard(JSON.parse(data));
}

export function followPath(session: number, heard: (state: PathState) => void): void {
  follow('/try/api/path', session, (data) => heard(data as PathState));
}

/** The listener without a cursor: each frame as it comes, and nothing else. */
export function listen(session: number, heard: (messageId: number) => void): void {
  follow('/try/listener', session, (data) => {
    const frame = data as { type: string; data?: { id?: number } };
    if (frame.type === 'chat.message' && frame.data?.id !== undefined) heard(frame.data.id);
  });
}
