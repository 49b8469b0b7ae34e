// A customer of the chat in plain Node: begins a chat, shows what comes, sends what is typed.
//   node examples/node-client/main.ts http://127.0.0.1:8080
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type ChatStorage, createChatClient } from '@chat-realtime/client';

/** One file per key: the chat, and what could not be sent, outlive this process. */
function folderStorage(folder: string): ChatStorage {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const fileOf = (key: string): string => join(folder, encodeURIComponent(key));
  const keys = (): string[] => readdirSync(folder).map(decodeURIComponent);
  return {
    keys,
    get: (key) => (keys().includes(key) ? readFileSync(fileOf(key), 'utf8') : null),
    set: (key, value) => writeFileSync(fileOf(key), value, { mode: 0o600 }),
    remove: (key) => rmSync(fileOf(key), { force: true }),
  };
}

const chat = createChatClient({
  baseUrl: process.argv[2] ?? 'http://127.0.0.1:8080',
  environment: { storage: folderStorage(join(homedir(), '.chat-realtime-example')) },
});
chat.on('status', ({ status }) => console.log(`-- ${status}`));
chat.on('message', ({ sender_name, body }) => {
  console.log(`${sender_name ?? 'Operator'}: ${body}`);
  chat.markRead();
});
await chat.ready;

const lines = createInterface({ input: process.stdin });
for await (const line of lines) {
  if (line.trim() === '') continue;
  const { stored } = chat.send(line);
  stored.then(
    ({ id }) => console.log(`-- stored as ${id}`),
    (error: Error) => console.log(`-- not sent: ${error.message}`),
  );
}
chat.destroy();
