// A clock that is set, by a person or by the time service, must move no interval: a head check that waits for a moment
// five minutes ahead is no head check. Intervals are measured on `performance.now()`; the wall clock says only when
// something was and when it expires, in the files named here.
import { projectFiles, readText } from '../lib/files.mjs';

const WALL = /\bDate\.now\b/;
const SCOPE = /^(?:apps|libs)\/[^/]+\/src\/.*\.ts$/;
const NOT_PRODUCT = /\.test\.ts$|\/testing\/|^libs\/testkit\//;

/** File → what it wants the wall clock for. */
const ALLOWED = {
  'apps/auth-service/src/auth-service.ts': 'when tokens, keys and sign-ins begin and expire',
  'apps/channel-dispatcher/src/dispatcher.ts': 'age of an event, whose time another machine wrote',
  'apps/channel-gateway/src/hub/ack-buffer.ts': 'when something was acknowledged, as it is told to others',
  'apps/channel-gateway/src/hub/session-channel.ts': 'age of an event, whose time another machine wrote',
  'apps/channel-gateway/src/hub/staff-channel.ts': 'age of an event, whose time another machine wrote',
  'apps/channel-gateway/src/hub/sweeper.ts': 'expiry of tokens',
  'apps/chat-service/src/alerts/webhook-deliveries.ts': 'times in the database, which outlive the process',
  'apps/chat-service/src/alerts/webhook-sender.ts': 'time in a signature',
  'apps/chat-service/src/attachments/links.ts': 'expiry of links',
  'apps/chat-service/src/bans/bans.ts': 'when a ban ends',
  'apps/chat-service/src/privacy/retention.ts': 'how old something is that was stored days ago',
  'apps/chat-service/src/storage/revocations.ts': 'up to which tokens are revoked',
  'apps/chat-service/src/tokens/channel-credentials.ts': 'when tokens are made and expire',
  'apps/standalone/src/earlier-pages.ts': 'days since a build was last served',
  'libs/verifier/src/revocations.ts': 'expiry of what was revoked',
  'libs/verifier/src/token-verifier.ts': 'expiry of tokens',
};

export function judgeClocks(path, text) {
  if (!SCOPE.test(path) || NOT_PRODUCT.test(path) || path in ALLOWED) return [];
  return text
    .split('\n')
    .flatMap((line, index) =>
      WALL.test(line) ? [`${path}:${index + 1} reads the wall clock: intervals use performance.now()`] : [],
    );
}

export function checkClocks() {
  const problems = [];
  const seen = new Set();
  for (const path of projectFiles()) {
    if (!SCOPE.test(path)) continue;
    const text = readText(path);
    problems.push(...judgeClocks(path, text));
    if (WALL.test(text)) seen.add(path);
  }
  for (const path of Object.keys(ALLOWED))
    if (!seen.has(path)) problems.push(`${path} no longer reads the wall clock: take it from the list in clocks.mjs`);
  return problems;
}
