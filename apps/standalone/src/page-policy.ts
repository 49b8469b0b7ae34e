/** Where operators sign in, if not by the console's own form. */
export interface OperatorSignIn {
  /** Answers `{access_token, expires_at}` by the site's cookie session. */
  readonly tokenUrl: string | null;
  /** Where the console sends operators who are not signed in. */
  readonly loginUrl: string | null;
  /** The parameter of that address for the return address. */
  readonly returnParam: string;
  /** Where the site keeps its own chat: paths and names by which operators answer, assign and close. */
  readonly site: object | undefined;
}

interface PagePolicy {
  readonly framedBy: string;
  readonly connect?: string;
  readonly more?: string;
}

/** The Content-Security-Policy of our own pages. deploy/nginx/chat.conf.template says the same. */
export function policyOf({ framedBy, connect = '', more = '' }: PagePolicy): string {
  return (
    `default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; ${more}` +
    `connect-src 'self' ws: wss:${connect}; form-action 'self'; base-uri 'none'; frame-ancestors ${framedBy}`
  );
}

/** Pages of the same origin may show the console in a frame, as `/try/` does. */
export function operatorPolicy({ tokenUrl }: Pick<OperatorSignIn, 'tokenUrl'>): string {
  const origin = tokenUrl !== null && URL.canParse(tokenUrl) ? ` ${new URL(tokenUrl).origin}` : '';
  // It can be installed.
  return policyOf({ framedBy: "'self'", connect: origin, more: `manifest-src 'self'; ` });
}
