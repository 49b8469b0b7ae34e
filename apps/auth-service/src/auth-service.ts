import type { Database } from '@chat-realtime/database';
import { ChatError, type OwnAccount } from '@chat-realtime/protocol';
import { type Logger, type Metrics, publicPrefix, rateLimitKey } from '@chat-realtime/service-kit';
import { RevocationSet, type RevocationView, type StaffKeys } from '@chat-realtime/verifier';
import { SignJWT } from 'jose';
import type { AuthConfig } from './config.ts';
import { LoginThrottle } from './domain/login-throttle.ts';
import { type AuthUser, normaliseLogin, toAuthUser } from './domain/operator.ts';
import { hashPassword, PasswordCheck } from './domain/passwords.ts';
import { type Acceptance, type Invite, Invites } from './storage/invites.ts';
import { OidcAccounts } from './oidc/accounts.ts';
import { FlowSeal } from './oidc/flow-cookie.ts';
import { OidcSignIn } from './oidc/sign-in.ts';
import { OperatorAccounts } from './operator-accounts.ts';
import { OwnPassword } from './own-password.ts';
import { Logins, type OpenLogin } from './storage/logins.ts';
import { hasSecondFactor, recoveryCodesLeft } from './storage/second-factor.ts';
import { codeThrottleKey, SecondFactor } from './second-factor.ts';
import { type Credentials, Operators } from './storage/operators.ts';
import { revocationReader } from './storage/revocations.ts';
import { sharedSecret } from './storage/shared-secret.ts';
import { SIGNING_ALGORITHM, SigningKeys } from './storage/signing-keys.ts';

export interface AuthServiceOptions {
  readonly database: Database;
  readonly config: AuthConfig;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Milliseconds; for tests of later events. */
  readonly now?: () => number;
}

export interface SignedIn {
  readonly access_token: string;
  readonly token_type: 'Bearer';
  readonly expires_in: number;
  readonly refresh_token: string;
  readonly user: AuthUser;
}

interface Prepared {
  readonly passwords: PasswordCheck;
  readonly successorKey: Buffer;
  readonly flowKey: Buffer;
}

const KEY_MAINTENANCE_MS = 60_000;
const REVOCATION_POLL_MS = 1_000;
const SETTINGS_POLL_MS = 2_000;
const PRUNE_MS = 3_600_000;

/** Signs operators in, keeps them signed in, and signs them out. */
export class AuthService {
  readonly operators: Operators;
  readonly invites: Invites;
  readonly accounts: OperatorAccounts;
  readonly secondFactor: SecondFactor;
  /** Null without `OIDC_ISSUER`. */
  readonly oidc: OidcSignIn | null;
  readonly keys: SigningKeys;
  /** The path below which the chat is served from outside: `''` or `/support`. */
  readonly prefix: string;
  readonly publicUrl: string | undefined;
  readonly #database: Database;
  readonly #oidcAccounts: OidcAccounts;
  readonly #config: AuthConfig;
  readonly #logger: Logger;
  readonly #now: () => Date;
  readonly #logins: Logins;
  readonly #passwords: PasswordCheck;
  readonly #throttle: LoginThrottle;
  readonly #revocations: RevocationSet;
  readonly #readRevocations: () => Promise<void>;
  readonly #count: (event: 'login' | 'refresh' | 'logout', result: string) => void;
  readonly #timers: NodeJS.Timeout[] = [];

  private constructor(options: AuthServiceOptions, { passwords, successorKey, flowKey }: Prepared) {
    const { database, config, logger, metrics, now = Date.now } = options;
    this.#config = config;
    this.publicUrl = config.PUBLIC_URL;
    this.prefix = publicPrefix(config.PUBLIC_URL);
    this.#logger = logger;
    this.#now = () => new Date(now());
    this.#passwords = passwords;
    this.keys = new SigningKeys(database, this.#now);
    const times = {
      accessTtlSeconds: config.AUTH_TOKEN_TTL_SECONDS,
      refreshTtlSeconds: config.AUTH_REFRESH_TTL_SECONDS,
    };
    this.operators = new Operators(database, this.#now);
    this.invites = new Invites(database, this.#now);
    this.#logins = new Logins(database, times, successorKey, this.#now);
    this.#throttle = new LoginThrottle(config.LOGIN_FAILURES_PER_5_MINUTES);
    this.#revocations = new RevocationSet(() => Math.floor(now() / 1000));
    this.#readRevocations = revocationReader(database, this.#revocations);
    const password = new OwnPassword(database, passwords, this.#throttle);
    this.accounts = new OperatorAccounts({
      database,
      invites: this.invites,
      password,
      now: this.#now,
      ended: this.#readRevocations,
    });
    this.secondFactor = new SecondFactor({ database, password, throttle: this.#throttle, now: this.#now });
    this.#database = database;
    this.#oidcAccounts = new OidcAccounts(database, this.#now);
    this.oidc = OidcSignIn.create(config, {
      accounts: this.#oidcAccounts,
      seal: new FlowSeal(flowKey),
      logger,
      now: this.#now,
    });
    const events = metrics.counter({
      name: 'chat_auth_events_total',
      help: 'Sign-ins, refreshes and sign-outs',
      labels: ['event', 'result'],
      series: [
        ...['ok', 'refused', 'second_factor_required'].map((result) => ({ event: 'login', result })),
        ...['refresh', 'logout'].map((event) => ({ event, result: 'ok' })),
      ],
    });
    this.#count = (event, result) => events.inc({ event, result });
  }

  /** Ready to sign and verify when it resolves. */
  static async create(options: AuthServiceOptions): Promise<AuthService> {
    const service = new AuthService(options, {
      passwords: await PasswordCheck.create(),
      successorKey: await sharedSecret(options.database, 'refresh_token'),
      flowKey: await sharedSecret(options.database, 'oidc_flow'),
    });
    await service.keys.maintain();
    await service.#readRevocations();
    return service;
  }

  /** For the verifier of the process in which this service runs. */
  get keySource(): Extract<StaffKeys, { kind: 'local' }> {
    return { kind: 'local', keys: () => this.keys.publicSet };
  }

  /** The revocations, at most a second old; for the verifier of auth-service's own process. */
  get revocations(): RevocationView {
    return this.#revocations;
  }

  start(): void {
    this.#every(REVOCATION_POLL_MS, 'read revocations', this.#readRevocations);
    this.#every(KEY_MAINTENANCE_MS, 'maintain signing keys', () => this.keys.maintain());
    this.#every(PRUNE_MS, 'prune sign-ins', () => this.prune());
  }

  /** Reads settings saved elsewhere, now and every 2 s until the end. Without an answer the last known values apply. */
  async follow(read: () => Promise<void>): Promise<void> {
    await read();
    this.#every(SETTINGS_POLL_MS, 'read settings', read);
  }

  stop(): void {
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
  }

  /** Deletes sign-ins that nobody can continue; runs automatically every hour. */
  async prune(): Promise<void> {
    await this.#logins.prune();
    await this.invites.prune();
    await this.#oidcAccounts.prune();
  }

  /**
   * If an administrator has their own account, the demo ends and its accounts are closed. Otherwise it ends with the
   * first use of the link that this returns.
   */
  async endDemo(): Promise<Invite | undefined> {
    const invite = await this.invites.forFirstAdmin();
    if (invite !== undefined) return invite;
    await this.operators.closeDemo();
    await this.#readRevocations();
    return undefined;
  }

  /** @throws ChatError `bad_credentials` | `validation_failed` | `login_taken` */
  async acceptInvite(
    key: string,
    { password, ...account }: Pick<Acceptance, 'login' | 'name'> & { readonly password: string },
  ): Promise<AuthUser> {
    // Only someone with a link may make the server compute a hash.
    await this.invites.read(key);
    const operator = await this.invites.accept(key, { ...account, passwordHash: await hashPassword(password) });
    await this.#readRevocations();
    this.#logger.info({ event: 'invite_accepted', operator_id: operator.id }, 'an account got its password by a link');
    return toAuthUser(operator);
  }

  /**
   * `code`: from the second factor, for accounts that have one.
   * @throws ChatError `bad_credentials` | `second_factor_required` | `rate_limited`
   */
  async login(login: string, password: string, clientIp: string, code?: string): Promise<SignedIn> {
    const key = `${normaliseLogin(login)}|${rateLimitKey(clientIp)}`;
    const opened = await this.#throttle
      .run(key, () => this.#open(login, password, code))
      .catch((error: unknown) => {
        this.#count('login', error instanceof ChatError ? error.code : 'failed');
        throw error;
      });
    if (opened === undefined) {
      this.#count('login', 'refused');
      throw new ChatError('bad_credentials', 'login, password or code is wrong');
    }
    if (opened === 'code_missing') {
      this.#count('login', 'second_factor_required');
      throw new ChatError('second_factor_required', 'this account requires the code of its second factor: send `code`');
    }
    this.#count('login', 'ok');
    return this.#signIn(opened);
  }

  /** For a browser that was redirected back by the identity provider. @throws ChatError `bad_credentials` */
  async loginByTicket(ticket: string): Promise<SignedIn> {
    const credentials = await this.#oidcAccounts.redeem(ticket);
    const opened = credentials && (await this.#logins.open(credentials, { by: 'oidc' }));
    if (opened?.kind !== 'opened') {
      this.#count('login', 'refused');
      throw new ChatError('bad_credentials', 'this sign-in was used or has expired; begin it again');
    }
    await this.#readRevocations();
    this.#count('login', 'ok');
    return this.#signIn(opened);
  }

  /** @throws ChatError `bad_credentials` */
  async refresh(refreshToken: string): Promise<SignedIn> {
    const outcome = await this.#logins.refresh(refreshToken);
    if (outcome.kind === 'refused') {
      this.#count('refresh', outcome.reason);
      if (outcome.reason === 'reused') {
        await this.#readRevocations();
        this.#logger.warn({ event: 'refresh_reuse' }, 'a used refresh token came again: its sign-in was ended');
      }
      throw new ChatError('bad_credentials', 'the refresh token is not valid');
    }
    this.#count('refresh', 'ok');
    return this.#signIn(outcome);
  }

  /** Ends the sign-in `loginId`; its access tokens are refused from now on. */
  async logout(loginId: string): Promise<void> {
    await this.#logins.end(loginId, 'logout');
    await this.#readRevocations();
    this.#count('logout', 'ok');
  }

  /** @throws ChatError `bad_token` if the token's operator is unknown or deactivated */
  async user(userId: string): Promise<OwnAccount> {
    const account = await this.operators.account(userId);
    if (account === undefined || !account.operator.active) throw new ChatError('bad_token', 'no such operator');
    const db = this.#database.kysely;
    const second_factor = await hasSecondFactor(db, userId);
    const recovery_codes_left = second_factor ? await recoveryCodesLeft(db, userId) : 0;
    return { ...toAuthUser(account.operator), second_factor, recovery_codes_left, oidc: account.oidc };
  }

  /** `undefined`: refused, for indistinguishable reasons and after the same work, whatever is wrong. */
  async #open(
    login: string,
    password: string,
    code: string | undefined,
  ): Promise<OpenLogin | 'code_missing' | undefined> {
    const checked: Credentials | undefined = await this.operators.credentials(login);
    const fits = await this.#passwords.matches(checked?.passwordHash, password);
    if (!fits || checked === undefined) return undefined;
    const open = async (): Promise<OpenLogin | 'code_missing' | undefined> => {
      const outcome = await this.#logins.open(checked, { by: 'password', code });
      if (outcome.kind === 'opened') return outcome;
      return outcome.kind === 'code_missing' ? outcome.kind : undefined;
    };
    return code === undefined ? open() : this.#throttle.run(codeThrottleKey(checked.operator.id), open);
  }

  async #signIn(login: OpenLogin): Promise<SignedIn> {
    const { operator } = login;
    const { kid, key } = await this.keys.current();
    const { AUTH_ISSUER, AUTH_AUDIENCE, AUTH_TOKEN_TTL_SECONDS } = this.#config;
    const issuedAt = Math.floor(login.issuedAt.getTime() / 1000);
    const accessToken = await new SignJWT({
      role: operator.role,
      scope: operator.scope,
      name: operator.name,
      sid: login.loginId,
    })
      .setProtectedHeader({ alg: SIGNING_ALGORITHM, kid, typ: 'JWT' })
      .setIssuer(AUTH_ISSUER)
      .setAudience(AUTH_AUDIENCE)
      .setSubject(operator.id)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + AUTH_TOKEN_TTL_SECONDS)
      .sign(key);
    return {
      access_token: accessToken,
      token_type: 'Bearer',
      expires_in: AUTH_TOKEN_TTL_SECONDS,
      refresh_token: login.refreshToken,
      user: toAuthUser(operator),
    };
  }

  #every(ms: number, what: string, work: () => Promise<void>): void {
    let running = false;
    const timer = setInterval(() => {
      if (running) return;
      running = true;
      work()
        .catch((error: unknown) => {
          const err = error instanceof Error ? error : new Error('unknown failure');
          this.#logger.warn({ err, job: what }, 'background work failed; it will be tried again');
        })
        .finally(() => {
          running = false;
        });
    }, ms);
    timer.unref();
    this.#timers.push(timer);
  }
}

export function createAuthService(options: AuthServiceOptions): Promise<AuthService> {
  return AuthService.create(options);
}
