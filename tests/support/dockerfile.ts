import { readFileSync } from 'node:fs';

const DOCKERFILE = readFileSync(new URL('../../deploy/docker/Dockerfile', import.meta.url), 'utf8');

/** A stage of the Dockerfile: what it begins from, and what is run in it. */
export function stage(name: string): { base: string; runs: string[] } {
  const [, base = '', body = ''] =
    new RegExp(`^FROM (\\S+) AS ${name}\\n([\\s\\S]*?)(?=^FROM |$(?![\\s\\S]))`, 'm').exec(DOCKERFILE) ?? [];
  const lines = body.replaceAll(/^#.*\n/gm, '').replaceAll(/\\\n\s*/g, '');
  return { base, runs: [...lines.matchAll(/^RUN (.*)$/gm)].map(([, line = '']) => line) };
}
