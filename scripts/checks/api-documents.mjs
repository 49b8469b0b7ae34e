// The API documents as other people's tools read them: Redocly and Spectral, without an error or a warning.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { lint, loadConfig } from '@redocly/openapi-core';
import spectral from '@stoplight/spectral-core';
import rulesets from '@stoplight/spectral-rulesets';
import { root } from '../lib/root.mjs';

/** What they find and is meant. An entry that no longer occurs is a problem too. */
const MEANT = [
  ['no-ambiguous-paths', '/chat/{id}/stream', 'the requirements name this link; no id is "session"'],
  ['operation-2xx-response', '/channel/ws', 'an upgrade: its success is 101'],
  ['operation-2xx-response', '/auth/oidc/', 'browsers go there: its success is 302'],
  ['operation-success-response', '/channel/ws', 'an upgrade: its success is 101'],
  ['no-illogical-composition-keywords', '/internal/telegram/', 'their kinds are open enums, and tell them apart'],
  ['asyncapi-info-contact-properties', 'info/contact', 'the project has no address of its own'],
];

const OPENAPI = 'docs/protocol/openapi.json';
const ASYNCAPI = 'docs/protocol/asyncapi.json';

async function byRedocly() {
  const config = await loadConfig({ customExtends: ['recommended'] });
  const found = await lint({ ref: join(root, OPENAPI), config });
  return found.map(({ ruleId, message, location }) => ({
    rule: ruleId,
    message,
    where: (location[0]?.pointer ?? '').replaceAll('~1', '/'),
    file: OPENAPI,
  }));
}

async function bySpectral(file, ruleset) {
  const checker = new spectral.Spectral();
  checker.setRuleset({ extends: [[ruleset, 'recommended']] });
  const found = await checker.run(JSON.parse(readFileSync(join(root, file), 'utf8')));
  // 0 is an error, 1 a warning; 2 and 3 are hints.
  return found
    .filter(({ severity }) => severity <= 1)
    .map(({ code, message, path }) => ({ rule: String(code), message, where: path.join('/'), file }));
}

export async function checkApiDocuments() {
  const found = [
    ...(await byRedocly()),
    ...(await bySpectral(OPENAPI, rulesets.oas)),
    ...(await bySpectral(ASYNCAPI, rulesets.asyncapi)),
  ];
  const isMeant = ({ rule, where }) => MEANT.some(([name, path]) => name === rule && where.includes(path));
  const gone = MEANT.filter(([name, path]) => !found.some(({ rule, where }) => name === rule && where.includes(path)));
  return [
    ...found
      .filter((one) => !isMeant(one))
      .map(({ file, where, rule, message }) => `${file} ${where}: ${rule}: ${message}`),
    ...gone.map(([name, path]) => `${name} no longer occurs at ${path}: remove it from MEANT`),
  ];
}
