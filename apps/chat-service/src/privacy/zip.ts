import { Zip, ZipPassThrough } from 'fflate';

export interface ZipEntry {
  readonly name: string;
  readonly content: AsyncIterable<Uint8Array | string>;
}

/** Without the 64-bit extension an archive ends here, in bytes and in entries. */
export const ZIP_MAX_BYTES = 2 ** 32 - 1;
export const ZIP_MAX_ENTRIES = 2 ** 16 - 1;

/** A larger archive must be aborted: one whose numbers have overflowed opens, and lacks files. */
export class ZipTooLargeError extends Error {
  readonly code = 'zip_too_large';
}

/**
 * An archive as it is read, entry after entry; held is one part of one file. The entries are stored as they are: most
 * files are compressed already, and nothing here may keep the event loop.
 */
export async function* zipOf(
  entries: AsyncIterable<ZipEntry>,
  max = { bytes: ZIP_MAX_BYTES, entries: ZIP_MAX_ENTRIES },
): AsyncGenerator<Uint8Array> {
  const out: Uint8Array[] = [];
  const failures: Error[] = [];
  let bytes = 0;
  let count = 0;
  const zip = new Zip((error, chunk) => {
    if (error === null) out.push(chunk);
    else failures.push(error);
  });
  function* ready(): Generator<Uint8Array> {
    const [failure] = failures;
    if (failure !== undefined) throw failure;
    for (const chunk of out.splice(0)) {
      bytes += chunk.length;
      if (bytes > max.bytes) throw new ZipTooLargeError(`more than ${max.bytes} bytes`);
      if (chunk.length > 0) yield chunk;
    }
  }
  for await (const { name, content } of entries) {
    count += 1;
    if (count > max.entries) throw new ZipTooLargeError(`more than ${max.entries} files`);
    const file = new ZipPassThrough(name);
    zip.add(file);
    for await (const part of content) {
      file.push(typeof part === 'string' ? Buffer.from(part) : part);
      yield* ready();
    }
    file.push(new Uint8Array(), true);
    yield* ready();
  }
  zip.end();
  yield* ready();
}
