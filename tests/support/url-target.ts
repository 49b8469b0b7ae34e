import { HttpClient } from '@chat-realtime/testkit';
import type { Target } from './target-kinds.ts';

/** A chat that somebody else runs, with the settings of `profiles.ts`; it is never stopped from here. */
export async function urlTarget(baseUrl: string | undefined): Promise<Target> {
  if (baseUrl === undefined) throw new Error('BLACKBOX_TARGET=url needs CHAT_BASE_URL');
  const http = new HttpClient(baseUrl);
  const answer = await http.get('/chat/config');
  http.close();
  if (answer.status !== 200) throw new Error(`${baseUrl}/chat/config answered ${answer.status}`);
  return {
    kind: 'url',
    baseUrl,
    cheap: true,
    assertAlive: () => undefined,
    terminateGateway: () => Promise.reject(new Error('a foreign target is not terminated from here')),
    killGateways: () => Promise.reject(new Error('a foreign target is not killed from here')),
    restart: () => Promise.reject(new Error('a foreign target is not restarted from here')),
    stop: () => Promise.resolve(),
  };
}
