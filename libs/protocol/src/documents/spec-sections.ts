import { CLOSE_CODES, type ReconnectPolicy } from '../close-codes.ts';
import { ERROR_CODES } from '../errors.ts';
import { ALL_ROUTES } from '../routes.ts';
import { schemaName, type SchemaName } from '../schemas.ts';
import { EXAMPLES } from './examples.ts';
import { componentSchemas } from './json-schema.ts';

const POLICY_TEXT: Readonly<Record<ReconnectPolicy, string>> = {
  now: 'at once (after `reconnect_in_ms`)',
  backoff: 'with back-off',
  refresh_token: 'get a new token first, then at once',
  never: 'no',
  poll_only: 'no: poll REST, retry once a minute',
};

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}

function internalSchemas(): string {
  const components = componentSchemas();
  const names = ['CatchupRequest', 'CatchupSession', 'CatchupResponse', 'AcksRequest'];
  const intro = 'JSON Schema 2020-12; references lead into the components of `openapi.json`.';
  const blocks = names.map(
    (name) => `\`${name}\`:\n\n\`\`\`json\n${JSON.stringify(components[name], null, 2)}\n\`\`\``,
  );
  return [intro, ...blocks].join('\n\n');
}

const FRAME_EXAMPLES: readonly (readonly [string, SchemaName])[] = [
  ['Down: durable events of a session, as its customer gets them', 'SessionEvent'],
  ['Down: durable events, as staff get them', 'StaffEvent'],
  ['Down: what is not stored', 'EphemeralFrame'],
  ['Down: about the connection', 'ControlFrame'],
  ['Up: the first frame of a customer', 'CustomerAuthFrame'],
  ['Up: the first frame of staff', 'StaffAuthFrame'],
  ['Up: delivered, typing, viewing, alive', 'AckFrame'],
  ['', 'TypingFrame'],
  ['', 'ViewingFrame'],
  ['', 'PingFrame'],
  ['RabbitMQ', 'BrokerEvent'],
  ['', 'BrokerEphemeral'],
];

function examplesOf(name: SchemaName): string {
  return EXAMPLES[name].map((example) => `\`\`\`json\n${JSON.stringify(example)}\n\`\`\``).join('\n\n');
}

/** One of everything that is sent: frames by kind, then the bodies and answers of each call. */
function examples(): string {
  const frames = FRAME_EXAMPLES.map(([title, name]) => (title === '' ? '' : `${title}:\n\n`) + examplesOf(name));
  const bodies = ALL_ROUTES.flatMap((route) => {
    const parts: string[] = [];
    const body = route.body?.schema === undefined ? undefined : schemaName(route.body.schema);
    if (body !== undefined) parts.push(`body:\n\n${examplesOf(body as SchemaName)}`);
    for (const [status, answer] of Object.entries(route.answers)) {
      const name = answer.schema === undefined ? undefined : schemaName(answer.schema);
      if (name !== undefined) parts.push(`${status}:\n\n${examplesOf(name as SchemaName)}`);
    }
    return parts.length === 0 ? [] : [`\`${route.method} ${route.path}\`, ${parts.join('\n\n')}`];
  });
  return ['### Frames', ...frames, '### Bodies and answers', ...bodies].join('\n\n');
}

/** Generated parts of SPEC.md by the name in their marks. */
export function specSections(): Record<string, string> {
  return {
    'error-codes': table(
      ['code', 'HTTP', 'meaning'],
      Object.entries(ERROR_CODES).map(([code, entry]) => [`\`${code}\``, String(entry.status), entry.meaning]),
    ),
    'close-codes': table(
      ['code', 'name', 'meaning', 'reconnect'],
      Object.entries(CLOSE_CODES).map(([name, entry]) => [
        String(entry.code),
        `\`${name}\``,
        entry.meaning,
        POLICY_TEXT[entry.reconnect],
      ]),
    ),
    routes: table(
      ['call', 'access', 'what for'],
      ALL_ROUTES.map((entry) => [`\`${entry.method} ${entry.path}\``, entry.access, entry.summary]),
    ),
    examples: examples(),
    'internal-schemas': internalSchemas(),
  };
}

/** Puts generated text between its marks; a mark that is missing, or has no section, is an error. */
export function fillSections(text: string, sections: Readonly<Record<string, string>>): string {
  const used = new Set<string>();
  const filled = text.replaceAll(/<!-- generated:([\w-]+) -->\n[\s\S]*?<!-- \/generated:\1 -->/g, (_, name: string) => {
    const section = sections[name];
    if (section === undefined) throw new Error(`no generated section is called ${name}`);
    used.add(name);
    return `<!-- generated:${name} -->\n\n${section}\n\n<!-- /generated:${name} -->`;
  });
  const missing = Object.keys(sections).filter((name) => !used.has(name));
  if (missing.length > 0) throw new Error(`no place for the generated sections ${missing.join(', ')}`);
  return filled;
}
