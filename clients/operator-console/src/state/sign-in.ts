import { pageUrl } from '@chat-realtime/client/links';
import { createStaffAuth, type SiteStaff, type StaffTokenProvider } from '@chat-realtime/client/staff';
import { chatAddress } from './chat-address.ts';

/** Where operators sign in; both null: by the console's own form. */
export interface SignIn {
  readonly tokenUrl: string | null;
  readonly loginUrl: string | null;
  /** The parameter of that address for the return address. */
  readonly returnParam: string;
  /** The site keeps its own chat: operators' actions go there. */
  readonly site: SiteStaff | undefined;
  /** `npm start` as a demo. */
  readonly demo: boolean;
}

const OWN: SignIn = { tokenUrl: null, loginUrl: null, returnParam: 'return_to', site: undefined, demo: false };
const RETRY_MS = 2_000;
const PAUSE_MS = 15_000;
const SENT_KEY = 'chat-console:sent-to-sign-in';

/** Only what can be an address of a site: never `javascript:`. */
function addressOf(value: unknown): string | null {
  if (typeof value !== 'string' || value === '') return null;
  return pageUrl(value, location.href)?.href ?? null;
}

/** The server that serves the page says it beside the page. A server without that file has the console's own form. */
async function load(): Promise<SignIn> {
  for (;;) {
    try {
      const response = await fetch('sign-in.json', { cache: 'no-cache' });
      if (response.ok) {
        const { token_url, login_url, return_param, site, demo } = (await response.json()) as Record<string, unknown>;
        const tokenUrl = addressOf(token_url);
        return tokenUrl === null
          ? { ...OWN, demo: demo === true }
          : {
              tokenUrl,
              loginUrl: addressOf(login_url),
              returnParam: typeof return_param === 'string' ? return_param : OWN.returnParam,
              site: typeof site === 'object' && site !== null ? site : undefined,
              demo: false,
            };
      }
      if (response.status === 404) return OWN;
    } catch (error) {
      if (error instanceof SyntaxError) return OWN;
      // The server is away for a moment: showing a form that may be the wrong one would not help anybody.
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

export const signIn = await load();
export const auth = createStaffAuth({
  baseUrl: chatAddress(),
  ...(signIn.tokenUrl === null ? {} : { tokenUrl: signIn.tokenUrl }),
});

type Headers = Readonly<Record<string, string>>;
let ofToken: Headers | null = null;
export const getToken: StaffTokenProvider = async (request) => {
  const answer = await auth.getToken(request);
  ofToken = answer.headers ?? {};
  return answer;
};

/** Of what is written to the site: those that are set, and those that came with the last token, as against forgery. */
export async function siteHeaders(again: boolean): Promise<Headers> {
  if (again || ofToken === null) await getToken({ force: again });
  return { ...signIn.site?.headers, ...ofToken };
}

/** The site's sign-in, which leads back to where the console is now. */
export function siteSignInUrl(loginUrl: string): string {
  const url = new URL(loginUrl);
  url.searchParams.set(signIn.returnParam, location.href);
  return url.href;
}

/** Who is in may be led there again when the site has ended their session. */
export const signedIn = (): void => sessionStorage.removeItem(SENT_KEY);

/** Goes to the site's sign-in, but not twice in a row: a site that sends everybody straight back would never end. */
export function goToSiteSignIn(loginUrl: string): boolean {
  const ago = Date.now() - Number(sessionStorage.getItem(SENT_KEY) ?? 0);
  // A clock that was set back meanwhile says nothing about the pause.
  if (ago >= 0 && ago < PAUSE_MS) return false;
  sessionStorage.setItem(SENT_KEY, String(Date.now()));
  location.assign(siteSignInUrl(loginUrl));
  return true;
}
