/** What `docker compose` takes after each of its commands that the documents use: flags with and without a value. */
const ACTIONS: Readonly<
  Record<string, { readonly flags: string; readonly names: 'services' | 'one, then a command' | 'paths' }>
> = {
  build: { flags: '', names: 'services' },
  up: { flags: '-d --no-deps --build', names: 'services' },
  stop: { flags: '', names: 'services' },
  restart: { flags: '', names: 'services' },
  ps: { flags: '', names: 'services' },
  logs: { flags: '-f --no-color --since= --tail=', names: 'services' },
  rm: { flags: '-sf', names: 'services' },
  exec: { flags: '-T', names: 'one, then a command' },
  run: { flags: '--rm -T', names: 'one, then a command' },
  cp: { flags: '', names: 'paths' },
};

export interface DockerLine {
  readonly text: string;
  readonly action: string;
  readonly services: readonly string[];
  /** What runs in the container. */
  readonly command: readonly string[];
}

/** Every command of Docker in a document, in code spans and blocks; what stands for a name (`<service>`, `…`) is left out. */
export function dockerLines(markdown: string): string[] {
  const spans = [...markdown.matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span);
  const blocks = [...markdown.matchAll(/^```[a-z]*\n([\s\S]*?)^```/gm)].flatMap(([, block = '']) => block.split('\n'));
  return [...spans, ...blocks]
    .flatMap((line) => line.replace(/ #.*$/, '').split(/[|;]|&&/))
    .map((line) => line.trim())
    .filter((line) => /^docker compose \w/.test(line));
}

/** What stands for a name in the documents, by a name of its kind. */
const FOR_EXAMPLE: Readonly<Record<string, string>> = {
  '<session>': '1',
  '<seq>': '2',
  '<id>': '1',
  '"$SESSION"': '1',
  '<login>': 'vera',
  '<address>': 'vera@shop.example',
  '<имя>': 'monday',
  '<name>': 'monday',
  '<адрес>': 'vera@shop.example',
};

/**
 * The administrator's commands of a document as words, however they are called: by Compose, in the image, by npm, or in
 * short where the page has said how (`admin verify`, `… dead-letters show <id>`).
 */
export function adminLines(markdown: string, names: ReadonlySet<string>): { text: string; words: string[] }[] {
  const spans = [...markdown.matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span);
  const blocks = [...markdown.matchAll(/^```[a-z]*\n([\s\S]*?)^```/gm)].flatMap(([, block = '']) => block.split('\n'));
  return [...spans, ...blocks]
    .flatMap((line) => line.replace(/ #.*$/, '').split(/[|;]|&&/))
    .flatMap((line) => {
      const text = line.trim();
      const called =
        /(?:^|\s)(?:run (?:--rm |-T )*(?:admin|probe)|\S*chat-admin(?: chat-realtime:\S+)?|npm run (?:--silent )?admin --|admin|…) ([a-z].*)$/.exec(
          text,
        )?.[1] ?? /^npm run (?:--silent )?(trace) -- (.*)$/.exec(text)?.slice(1).join(' ');
      const words = (called ?? '').split(/\s+/).map((word) => FOR_EXAMPLE[word] ?? word.replace(/^"(.*)"$/, '$1'));
      return names.has(words[0] ?? '') && !words.includes('…') ? [{ text, words }] : [];
    });
}

/** Throws where Docker would refuse the line before it looked at anything. */
export function parseDockerLine(text: string): DockerLine {
  const [action = '', ...words] = text.split(/\s+/).slice(2);
  const known = ACTIONS[action];
  if (known === undefined) throw new Error(`${text}: no such command`);
  const flags = known.flags.split(' ');
  while (words[0]?.startsWith('-') === true) {
    const flag = words.shift() ?? '';
    if (flags.includes(`${flag}=`)) words.shift();
    else if (!flags.includes(flag)) throw new Error(`${text}: no such flag ${flag}`);
  }
  const named = (word: string): boolean => !/[<…]/.test(word);
  if (known.names === 'services') return { text, action, services: words.filter(named), command: [] };
  if (known.names === 'paths') {
    const inside = words.filter((word) => word.includes(':')).map((word) => word.split(':')[0] ?? '');
    return { text, action, services: inside, command: [] };
  }
  const [service, ...command] = words;
  if (service === undefined) throw new Error(`${text}: of which service?`);
  return { text, action, services: [service].filter(named), command };
}
