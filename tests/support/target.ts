import { HttpClient, until } from '@chat-realtime/testkit';
import { startStackTarget } from './stack-target.ts';
import { startStandalone } from './standalone-target.ts';
import { type Target, type TargetRequest, targetKind } from './target-kinds.ts';
import { urlTarget } from './url-target.ts';

export async function startTarget(request: TargetRequest): Promise<Target> {
  const target = await start(request);
  await untilAdmitted(target.baseUrl);
  return target;
}

/**
 * A gateway that has just been busy starting may turn newcomers away for some seconds (1013, 503): a client comes back,
 * and so the suite begins when the gateway has room.
 */
export async function untilAdmitted(baseUrl: string): Promise<void> {
  const http = new HttpClient(baseUrl);
  await until(async () => (await http.get('/channel/poll?session=1&token=x')).status === 401, {
    timeoutMs: 30_000,
    everyMs: 250,
    what: 'a gateway that has room',
  });
  http.close();
}

function start(request: TargetRequest): Promise<Target> {
  switch (targetKind()) {
    case 'standalone':
      return startStandalone(request);
    case 'stack':
      return startStackTarget(request);
    case 'url':
      return urlTarget(process.env['CHAT_BASE_URL']);
  }
}
