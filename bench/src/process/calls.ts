/** Functions one process offers to its parent over the IPC channel. */
export type Offer = Readonly<Record<string, (argument: never) => unknown>>;

interface Request {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}

export type Reply =
  | { readonly id: number; readonly kind: 'value'; readonly value: unknown }
  | { readonly id: number; readonly kind: 'failure'; readonly message: string };

function isRequest(message: unknown): message is Request {
  return typeof message === 'object' && message !== null && 'id' in message && 'name' in message;
}

/** Answers the parent's calls until the channel closes, then ends: no child outlives its parent. */
export function serve(offer: Readonly<Record<string, (argument: never) => unknown>>): void {
  const reply = (message: Reply): void => {
    process.send?.(message);
  };
  process.on('message', (message: unknown) => {
    if (!isRequest(message)) return;
    const { id, name, argument } = message;
    const call = async (): Promise<unknown> => {
      const handler = offer[name];
      if (handler === undefined) throw new Error(`no call ${name}`);
      return handler(argument as never);
    };
    call().then(
      (value) => reply({ id, kind: 'value', value }),
      (error: unknown) =>
        reply({
          id,
          kind: 'failure',
          message: error instanceof Error ? (error.stack ?? error.message) : String(error),
        }),
    );
  });
  process.on('disconnect', () => process.exit(0));
}
