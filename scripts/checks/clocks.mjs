// A clock that is set, by a person or by the time service, must move no interval: a head check that waits for a moment
// five minutes ahead is no head check. Intervals are measured on `performance.now()`, in the client on
// `Environment.now`; the wall clock says only when something was and when it expires, in the files named here.
import { projectFiles, readText } from '../lib/files.mjs';

// In clients `Environment.wallNow` is the wall clock too, and so is a date of now.
const WALL = { server: /\bDate\.now\b/, client: /\bDate\.now\b|\bwallNow\b|\bnew Date\(\)/ };
const SCOPE = /^(?:apps|libs|clients)\/[^/]+\/(?:src|customer)\/.*\.tsx?$/;
const NOT_PRODUCT = /\.test\.tsx?$|\/testing\/|^libs\/testkit\//;

/** File → what it wants the wall clock for. */
const ALLOWED = {
  'apps/auth-service/src/auth-service.ts': 'when tokens, keys and sign-ins begin and expire',
  'apps/channel-dispatcher/src/dispatcher.ts': 'age of an event, whose time another machine wrote',
  'apps/channel-gateway/src/clock.ts': 'the one clock of the gateway, which says what the wall clock is for',
  'apps/chat-service/src/alerts/webhook-deliveries.ts': 'times in the database, which outlive the process',
  'apps/chat-service/src/alerts/webhook-sender.ts': 'time in a signature',
  'apps/chat-service/src/attachments/links.ts': 'expiry of links',
  'apps/chat-service/src/bans/bans.ts': 'when a ban ends',
  'apps/chat-service/src/challenge/start-challenge.ts': 'expiry of challenges',
  'apps/chat-service/src/mail/mail.controller.ts': 'time in a signature',
  'apps/chat-service/src/compose-mail.ts': 'time in the signatures of providers, and when a certificate holds',
  'apps/chat-service/src/mail/mail-queue.ts': 'the minute in which the same wish is one',
  'apps/chat-service/src/mail/mail-sender.ts': 'times in the database, which outlive the process',
  'apps/chat-service/src/push/push-sender.ts': 'times in the database, which outlive the process',
  'apps/chat-service/src/privacy/retention.ts': 'how old something is that was stored days ago',
  'apps/chat-service/src/tokens/revocations.ts': 'up to which tokens are revoked',
  'apps/chat-service/src/tokens/channel-credentials.ts': 'when tokens are made and expire',
  'apps/standalone/src/probe/certificate.ts': 'until when a certificate holds',
  'apps/standalone/src/earlier-pages.ts': 'days since a build was last served',
  'clients/operator-console/src/i18n/index.ts': 'what is today and yesterday',
  'clients/operator-console/src/state/clock.ts': 'how long ago the server says that something was',
  'clients/operator-console/src/state/sign-in.ts': 'kept while the site’s sign-in is shown in between',
  'clients/operator-console/src/state/transfers.ts': 'when a chat was given, where the event does not say it',
  'clients/operator-console/src/state/widget-preview.ts': 'a day of the preview',
  'clients/operator-console/src/ui/Banner.tsx': 'the date of a report',
  'clients/sdk/src/api/environment.ts': 'names it',
  'clients/sdk/src/connection/connection.ts': 'expiry of tokens, and until when a transport is remembered',
  'clients/sdk/src/core/environment.ts': 'gives it to the parts below',
  'clients/sdk/src/core/interval-clock.ts': 'counts the sleep of a device, never backwards',
  'clients/sdk/src/customer/credentials.ts': 'expiry of tokens',
  'clients/sdk/src/staff/auth.ts': 'expiry of tokens',
  'clients/sdk/src/staff/token.ts': 'expiry of tokens',
  'clients/sdk/src/sync/own-rows.ts': 'when a text was sent, kept from visit to visit',
  'clients/sdk/src/sync/outbox.ts': 'when a text was written, kept from visit to visit',
  'clients/try/src/eye.ts': 'beside times of the server, which runs on the same machine',
  'clients/try/src/main.ts': 'beside times of the server, which runs on the same machine',
  'clients/widget/src/panel/components/CallbackForm.tsx': 'whether a time of day is still to come',
  'clients/widget/src/panel/texts/format.ts': 'what is today and tomorrow',
  'libs/messaging/src/redis/last-seen.ts': 'since when marks are of this database, as it is told to others',
  'libs/service-kit/src/trace/event-trace.ts': 'when a step was taken, as it is told to others',
  'libs/verifier/src/revocations.ts': 'expiry of what was revoked',
  'libs/verifier/src/token-verifier.ts': 'expiry of tokens',
};

const wallOf = (path) => (path.startsWith('clients/') ? WALL.client : WALL.server);

export function judgeClocks(path, text) {
  if (!SCOPE.test(path) || NOT_PRODUCT.test(path) || path in ALLOWED) return [];
  const wall = wallOf(path);
  return text
    .split('\n')
    .flatMap((line, index) =>
      wall.test(line) ? [`${path}:${index + 1} reads the wall clock: intervals use performance.now()`] : [],
    );
}

export function checkClocks() {
  const problems = [];
  const seen = new Set();
  for (const path of projectFiles()) {
    if (!SCOPE.test(path)) continue;
    const text = readText(path);
    problems.push(...judgeClocks(path, text));
    if (wallOf(path).test(text)) seen.add(path);
  }
  for (const path of Object.keys(ALLOWED))
    if (!seen.has(path)) problems.push(`${path} no longer reads the wall clock: take it from the list in clocks.mjs`);
  return problems;
}
