import { invalidMail } from './refusals.ts';

/** Fields and files of one form. An honest one has about thirty. */
const PARTS_MAX = 300;

/**
 * A form of either kind, `application/x-www-form-urlencoded` or `multipart/form-data`. How many parts it has is counted
 * before it is taken apart: it is read before anybody knows who sent it.
 * @throws ChatError `validation_failed`
 */
export async function readForm(contentType: string | undefined, body: Buffer): Promise<FormData> {
  const type = contentType ?? '';
  const separator = separatorOf(type);
  if (separator === undefined) throw invalidMail('body', 'must be a form');
  if (hasMore(body, separator, PARTS_MAX)) throw invalidMail('body', `may have at most ${PARTS_MAX} fields`);
  try {
    return await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData();
  } catch (error) {
    throw invalidMail('body', 'must be a form', error);
  }
}

function separatorOf(type: string): string | undefined {
  if (/^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(type)) return '&';
  const [, quoted, bare] =
    /^multipart\/form-data\s*;.*?\bboundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(type) ?? [];
  const boundary = quoted ?? bare;
  return boundary === undefined ? undefined : `--${boundary}`;
}

function hasMore(body: Buffer, separator: string, max: number): boolean {
  let count = 0;
  for (let at = body.indexOf(separator); at >= 0; at = body.indexOf(separator, at + separator.length)) {
    count += 1;
    if (count > max) return true;
  }
  return false;
}
