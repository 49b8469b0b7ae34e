import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { binaries, Customer, HttpClient, type Stack, WebSocketClient } from '@chat-realtime/testkit';
import { sessionSchema } from '@chat-realtime/protocol';
import { expect } from 'vitest';

const run = promisify(execFile);

/** What a PHP site writes to make a channel token itself, with nothing but the standard library. */
const PHP = `
[$kid, $secret] = explode(':', explode(',', getenv('CHAT_TOKEN_SECRETS'))[0], 2);
[, $session, $created] = $argv;
$mac = hash_hmac('sha256', "chat-channel\\n$session\\n$created", $secret, true);
echo $kid, '.', $created, '.', rtrim(strtr(base64_encode($mac), '+/', '-_'), '=');
`;

async function phpToken(secrets: string, sessionId: number, createdAt: number): Promise<string> {
  const { stdout } = await run(binaries.php(), ['-r', PHP, '--', String(sessionId), String(createdAt)], {
    env: { CHAT_TOKEN_SECRETS: secrets },
  });
  return stdout;
}

/** REST and WebSocket take the token PHP made, and only for the session it was made for. */
export async function tokenMadeByPhp(stack: Stack): Promise<void> {
  const http = new HttpClient(stack.url);
  const mine = await Customer.create(http);
  const other = await Customer.create(http);
  const secrets = stack.env['CHAT_TOKEN_SECRETS'] ?? '';
  const createdAt = Math.floor(Date.now() / 1_000);
  const token = await phpToken(secrets, mine.sessionId, createdAt);
  expect(await phpToken('k1:0123456789abcdef0123456789abcdef', 123, 1_762_587_011)).toBe(
    'k1.1762587011.12CB2wIZQzgSncNVqukwL52L2rC_Kccv0cY5dNBq5ps',
  );

  const answer = await http.get(`/chat/session/${mine.sessionId}`, { token });
  expect(answer.as(sessionSchema).id).toBe(mine.sessionId);
  const tab = await WebSocketClient.ready(stack.url, {
    query: { session: mine.sessionId, last_seq: 0 },
    protocols: ['chat.v1', `bearer.${token}`],
  });
  const message = await new Customer(http, mine.sessionId, token, '').post('from PHP');
  const frame = await tab.waitFor(({ data }) => data['id'] === message.id, { label: 'the message' });
  expect(frame.data['body']).toBe('from PHP');
  await tab.close();

  const foreign = await http.get(`/chat/session/${other.sessionId}`, { token });
  expect(foreign.status).toBe(401);
  const refused = await WebSocketClient.open(stack.url, {
    query: { session: other.sessionId },
    protocols: ['chat.v1', `bearer.${token}`],
  });
  expect((await refused.closed()).code).toBe(4501);
  http.close();
}
