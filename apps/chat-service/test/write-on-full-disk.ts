import { readdir } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { ChatError } from '@chat-realtime/protocol';
import { DiskStorage } from '../src/attachments/disk-storage.ts';

/** Run by itself inside a namespace of its own, with the small file system as its only argument. */
const [folder = ''] = process.argv.slice(2);
const storage = new DiskStorage(folder);
const code = await storage.write('attachment-1', Readable.from([Buffer.alloc(600_000)]), 1_000_000).then(
  () => 'stored',
  (error: unknown) => (error instanceof ChatError ? error.code : String(error)),
);
const entries = await readdir(folder, { recursive: true, withFileTypes: true });
const files = entries.filter((entry) => entry.isFile()).length;
const small = await storage.write('attachment-2', Readable.from([Buffer.alloc(100)]), 1_000_000);
process.stdout.write(JSON.stringify({ code, files, small: small.size }));
