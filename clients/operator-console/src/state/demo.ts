import { chatAddress } from './chat-address.ts';
import { auth } from './sign-in.ts';

async function call(method: 'GET' | 'POST', path: string): Promise<Response> {
  const { token } = await auth.getToken({ force: false });
  return fetch(chatAddress() + path, { method, headers: { authorization: `Bearer ${token}` }, cache: 'no-store' });
}

/** Only `npm start` has a demo; a chat of several services does not know the question. */
export async function isDemo(): Promise<boolean> {
  const response = await call('GET', '/chat/demo');
  if (!response.ok) return false;
  const { demo } = (await response.json()) as { demo?: unknown };
  return demo === true;
}

/**
 * Leads to the page on which the administrator creates their account. If somebody has one already, the accounts of the
 * demo are closed: a caller signed in with one of them comes to the sign-in, a caller with their own continues.
 */
export async function endDemo(): Promise<void> {
  const response = await call('POST', '/chat/demo/end');
  if (!response.ok) throw new Error(`the demo was not ended: ${response.status}`);
  const { invite_url: url } = (await response.json()) as { invite_url: string | null };
  if (url !== null) location.hash = new URL(url, location.href).hash;
  location.reload();
}
