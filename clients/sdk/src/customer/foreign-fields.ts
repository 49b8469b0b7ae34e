import type { BackendFields, FieldMap } from '../api/backend.ts';

type Fields = Record<string, unknown>;
const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null;

/** `data.items` in `{data: {items}}`; the empty path is the whole. */
function pick(value: unknown, path: string): unknown {
  for (const name of path ? path.split('.') : []) value = isObject(value) ? value[name] : undefined;
  return value;
}

function fromForeign(value: unknown, map: FieldMap | undefined): unknown {
  if (!map || !isObject(value)) return value;
  const result: Fields = { ...value };
  for (const [name, path] of Object.entries(map)) result[name] = pick(value, path);
  return result;
}

/** What is sent, under the names of the other side. */
export function toForeign<V>(value: Readonly<Record<string, V>>, map: FieldMap | undefined): Record<string, V> {
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [map?.[name] ?? name, field]));
}

/** Where parts of the contract occur in an answer; `GET session` answers the session itself. */
export function translate(answer: unknown, fields: Partial<BackendFields>, isSession = false): unknown {
  const result = fromForeign(answer, fields.answer);
  if (!isObject(result)) return result;
  const each = (name: string, one: (value: unknown) => unknown): void => {
    const value = result[name];
    if (value !== undefined) result[name] = Array.isArray(value) ? value.map(one) : one(value);
  };
  const message = (value: unknown): unknown => fromForeign(value, fields.message);
  const session = (value: unknown): unknown => fromForeign(value, fields.session);
  if (isSession) return session(result['session'] ?? result);
  each('session', session);
  each('sessions', session);
  each('message', message);
  each('messages', message);
  each('events', (event) =>
    isObject(event) && event['type'] === 'chat.message' ? { ...event, data: message(event['data']) } : event,
  );
  return result;
}
