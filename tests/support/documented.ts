import { readFileSync } from 'node:fs';
import { type HttpAnswer, observeAnswers } from '@chat-realtime/testkit';
import { z } from 'zod';

const DOCUMENT = new URL('../../docs/protocol/openapi.json', import.meta.url);

const operationSchema = z.object({ responses: z.record(z.string(), z.object({ description: z.string() })) });
const documentSchema = z.object({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) });
const errorSchema = z.object({ error: z.object({ code: z.string() }) });

/** Status → error codes; empty where the status is no error. */
type Answers = ReadonlyMap<number, ReadonlySet<string>>;

interface DocumentedPath {
  readonly path: string;
  readonly pattern: RegExp;
  readonly methods: ReadonlyMap<string, Answers>;
}

function answersOf(operation: unknown): Answers {
  const { responses } = operationSchema.parse(operation);
  return new Map(
    Object.entries(responses).map(([status, { description }]) => [
      Number(status),
      new Set([...description.matchAll(/`(\w+)`/g)].flatMap(([, code]) => code ?? [])),
    ]),
  );
}

export function readDocument(text: string): DocumentedPath[] {
  const { paths } = documentSchema.parse(JSON.parse(text));
  const documented = Object.entries(paths).map(([path, item]) => ({
    path,
    pattern: new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/?]+')}$`),
    methods: new Map(
      Object.entries(item)
        .filter(([method]) => /^(get|post|put|patch|delete)$/.test(method))
        .map(([method, operation]) => [method.toUpperCase(), answersOf(operation)]),
    ),
  }));
  // A path that is written out goes before one with a parameter in its place.
  return documented.sort((a, b) => a.path.split('{').length - b.path.split('{').length);
}

/** What the document does not say about this answer; undefined when it does. */
export function undocumented(
  document: readonly DocumentedPath[],
  request: { readonly method: string; readonly path: string },
  answer: { readonly status: number; readonly code?: string | undefined },
): string | undefined {
  const path = request.path.split('?')[0] ?? '';
  const known = document.find(({ pattern }) => pattern.test(path));
  // Other addresses (pages, health) are in no document, and a malformed one is refused before there is a route.
  if (known === undefined || /%(?![0-9a-f]{2})/i.test(path)) return undefined;
  // Seen from outside the calls between the services do not exist.
  if (path.startsWith('/internal/') && answer.status === 404) return undefined;
  // What no id has in it may be refused by a proxy or the router before there is a route.
  const isOdd = /[^\w./-]|\.\./.test(path);
  if (isOdd && answer.status === 400 && answer.code === 'malformed_request') return undefined;
  const where = `${request.method} ${known.path} answered ${answer.status} ${answer.code ?? ''}`.trim();
  const answers = known.methods.get(request.method);
  if (answers === undefined) {
    // HEAD and OPTIONS have answers of their own.
    const refused = answer.status === 404 || answer.status === 405 || answer.status === 403;
    return ['HEAD', 'OPTIONS'].includes(request.method) || refused
      ? undefined
      : `${where}: the method is in no document`;
  }
  const codes = answers.get(answer.status);
  if (codes === undefined) return `${where}: the status is in no document`;
  if (answer.status < 400 || (answer.code !== undefined && codes.has(answer.code))) return undefined;
  return `${where}: the code is in no document`;
}

function codeOf(answer: HttpAnswer): string | undefined {
  if (answer.status < 400) return undefined;
  try {
    return errorSchema.parse(answer.json()).error.code;
  } catch {
    // No envelope: then there is no code, which no document has.
    return undefined;
  }
}

const found = new Set<string>();
let watching = false;

/** From here on every answer that this process gets is held against the document. */
export function watchAnswers(): void {
  if (watching) return;
  watching = true;
  const document = readDocument(readFileSync(DOCUMENT, 'utf8'));
  observeAnswers((method, path, answer) => {
    const what = undocumented(document, { method, path }, { status: answer.status, code: codeOf(answer) });
    if (what !== undefined) found.add(what);
  });
}

/** What was found since the last call. */
export function undocumentedAnswers(): string[] {
  const list = [...found].sort();
  found.clear();
  return list;
}
