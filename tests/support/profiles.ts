/** Secrets of the targets under test: the tests forge tokens with them. */
export const SECRETS = {
  channel: 'k2:fedcba9876543210fedcba9876543210,k1:0123456789abcdef0123456789abcdef',
  siteKey: 'site-key-of-the-blackbox-suite-0001',
  identity: 'shop2:identity-secret-two-0123456789abcdef,shop1:identity-secret-one-0123456789abcdef',
  operatorPassword: 'blackbox-operator-password',
  internalKey: 'internal-key-of-the-blackbox-suite-01',
  webhook: 'webhook-secret-of-the-blackbox-suite',
  mail: 'mail-secret-of-the-blackbox-suite',
  metrics: 'metrics-token-of-the-blackbox-suite',
  jwt: 'hs256-secret-of-the-blackbox-suite-0123456789abcdef',
  eventsKey: 'events-key-of-the-blackbox-suite-0001',
  issuer: 'https://shop.example/auth',
  audience: 'chat-staff',
} as const;

export const ALLOWED_ORIGIN = 'https://shop.example';

/**
 * `main`: our own auth-service, no rates, quick alerts. `limits`: a foreign auth-service (HS256), small rates, short pings;
 * the last of its files terminates it. `channel-only`: a site keeps the chat, and takes the channel.
 */
export const PROFILES = ['main', 'limits', 'channel-only'] as const;
export type ProfileName = (typeof PROFILES)[number];

const COMMON = {
  OPERATOR_PASSWORD: SECRETS.operatorPassword,
  CHAT_TOKEN_SECRETS: SECRETS.channel,
  SITE_API_KEY: SECRETS.siteKey,
  IDENTITY_SECRETS: SECRETS.identity,
  INTERNAL_API_KEY: SECRETS.internalKey,
  ALLOWED_ORIGINS: ALLOWED_ORIGIN,
  ALERT_WEBHOOK_SECRET: SECRETS.webhook,
  ALERT_WAITING_SECONDS: '2',
  REPLY_UNSEEN_SECONDS: '2',
  METRICS_TOKEN: SECRETS.metrics,
  MAIL_FROM: 'Shop <support@shop.example>',
  MAIL_INBOUND_SECRET: SECRETS.mail,
  LOG_LEVEL: 'warn',
};

const RATES_OFF = {
  RATE_CONNECT_PER_10S: '0',
  RATE_SESSIONS_PER_MINUTE: '0',
  RATE_MESSAGES_PER_MINUTE: '0',
};

export const RATES = { connectPer10s: 25, sessionsPerMinute: 8, startsWithoutProof: 4, messagesPerMinute: 12 } as const;

const HS256 = {
  AUTH_JWT_SECRET: SECRETS.jwt,
  AUTH_ISSUER: SECRETS.issuer,
  AUTH_AUDIENCE: SECRETS.audience,
  AUTH_ROLE_MAP: 'manager:operator,boss:admin,operator:operator,admin:admin',
};

export function environmentOf(profile: ProfileName): Readonly<Record<string, string>> {
  switch (profile) {
    case 'main':
      return { ...COMMON, ...RATES_OFF, AUTO_CLOSE_MINUTES: '1' };
    case 'limits':
      return {
        ...COMMON,
        ...HS256,
        // The site's own sign-in of operators, on the chat's own origin.
        OPERATOR_TOKEN_URL: '/site/token',
        OPERATOR_LOGIN_URL: '/site/login',
        RATE_CONNECT_PER_10S: String(RATES.connectPer10s),
        RATE_SESSIONS_PER_MINUTE: String(RATES.sessionsPerMinute),
        RATE_MESSAGES_PER_MINUTE: String(RATES.messagesPerMinute),
        CHALLENGE_AFTER_STARTS: String(RATES.startsWithoutProof),
        PING_INTERVAL_SECONDS: '1',
        DRAIN_SECONDS: '3',
      };
    case 'channel-only':
      return { ...COMMON, ...HS256, ...RATES_OFF, CHAT_ROLE: 'ledger', EVENTS_API_KEY: SECRETS.eventsKey };
  }
}
