import { invalidMail } from './refusals.ts';

/** Fields and files of one form. An honest one has about thirty. */
const PARTS_MAX = 300;

/**
 * A form of either kind, `application/x-www-form-urlencoded` or `multipart/form-data`. How many parts it has is counted
 * before it is taken apart: it is read before anybody knows who sent it.
 * @throws ChatError `validation_failed`
 */
export async function readForm(contentType: string | undefined, body: Buffer): Promise<FormData> {
  const kind = kindOf(contentType ?? '');
  if (kind === undefined) throw invalidMail('body', 'must be a form');
  if (hasMore(body, kind.separator, PARTS_MAX)) throw invalidMail('body', `may have at most ${PARTS_MAX} fields`);
  try {
    return await new Response(new Uint8Array(body), { headers: { 'content-type': kind.type } }).formData();
  } catch (error) {
    throw invalidMail('body', 'must be a form', error);
  }
}

interface FormKind {
  /** Made by us: what was counted is then what is taken apart, whatever else the caller's header says. */
  readonly type: string;
  readonly separator: string;
}

function kindOf(given: string): FormKind | undefined {
  const [name = '', ...parameters] = given.split(';').map((part) => part.trim());
  if (/^application\/x-www-form-urlencoded$/i.test(name))
    return { type: 'application/x-www-form-urlencoded', separator: '&' };
  if (!/^multipart\/form-data$/i.test(name)) return undefined;
  // A boundary of other characters would have to be quoted and escaped; no provider makes one.
  const [, , boundary] =
    parameters.map((one) => /^boundary=("?)([\w'()+,./:=?-]{1,70})\1$/i.exec(one)).find((found) => found !== null) ??
    [];
  if (boundary === undefined) return undefined;
  return { type: `multipart/form-data; boundary="${boundary}"`, separator: `--${boundary}` };
}

function hasMore(body: Buffer, separator: string, max: number): boolean {
  let count = 0;
  for (let at = body.indexOf(separator); at >= 0; at = body.indexOf(separator, at + separator.length)) {
    count += 1;
    if (count > max) return true;
  }
  return false;
}
