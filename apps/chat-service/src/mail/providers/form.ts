import { invalidMail } from './refusals.ts';

/** Fields and files of one form. An honest one has about thirty. */
const PARTS_MAX = 300;

export interface FormFile {
  readonly field: string;
  readonly name: string;
  readonly contentType: string;
  readonly content: Buffer;
}

/** The contents of a form, each value as the received bytes: a mail may have any charset, or several. */
export class ReceivedForm {
  readonly #fields = new Map<string, Buffer[]>();
  readonly files: FormFile[] = [];

  /** `form`: each byte of its values one character, as latin-1 has them. */
  static async of(form: FormData): Promise<ReceivedForm> {
    const received = new ReceivedForm();
    for (const [field, value] of form) {
      if (typeof value === 'string') {
        const values = received.#fields.get(field) ?? [];
        received.#fields.set(field, [...values, Buffer.from(value, 'latin1')]);
        continue;
      }
      const content = Buffer.from(Buffer.from(await value.arrayBuffer()).toString('utf8'), 'latin1');
      const name = Buffer.from(value.name, 'latin1').toString('utf8');
      received.files.push({ field, name, contentType: value.type, content });
    }
    return received;
  }

  /** Values of a field as UTF-8. */
  texts(name: string): string[] {
    return (this.#fields.get(name) ?? []).map((value) => value.toString('utf8'));
  }

  /** A value as it came, in a field or in a file. */
  bytes(name: string): Buffer | undefined {
    return this.#fields.get(name)?.[0] ?? this.files.find(({ field }) => field === name)?.content;
  }
}

/**
 * A form of either kind, `application/x-www-form-urlencoded` or `multipart/form-data`. How many parts it has is counted
 * before it is taken apart: it is read before anybody knows who sent it.
 * @throws ChatError `validation_failed`
 */
export async function readForm(contentType: string | undefined, body: Buffer): Promise<ReceivedForm> {
  const kind = kindOf(contentType ?? '');
  if (kind === undefined) throw invalidMail('body', 'must be a form');
  if (hasMore(body, kind.separator, PARTS_MAX)) throw invalidMail('body', `may have at most ${PARTS_MAX} fields`);
  try {
    const response = new Response(kind.inLatin1(body), { headers: { 'content-type': kind.type } });
    return await ReceivedForm.of(await response.formData());
  } catch (error) {
    throw invalidMail('body', 'must be a form', error);
  }
}

interface FormKind {
  /** Made by us: the counted parts are then the parsed ones, whatever else the caller's header says. */
  readonly type: string;
  readonly separator: string;
  /**
   * The platform treats every form as UTF-8 and loses other bytes, so each byte becomes the character of its number.
   */
  readonly inLatin1: (body: Buffer) => string;
}

function kindOf(given: string): FormKind | undefined {
  const [name = '', ...parameters] = given.split(';').map((part) => part.trim());
  if (/^application\/x-www-form-urlencoded$/i.test(name))
    return { type: 'application/x-www-form-urlencoded', separator: '&', inLatin1: escapedInLatin1 };
  if (!/^multipart\/form-data$/i.test(name)) return undefined;
  // A boundary of other characters would have to be quoted and escaped; no provider makes one.
  const [, , boundary] =
    parameters.map((one) => /^boundary=("?)([\w'()+,./:=?-]{1,70})\1$/i.exec(one)).find((found) => found !== null) ??
    [];
  if (boundary === undefined) return undefined;
  return {
    type: `multipart/form-data; boundary="${boundary}"`,
    separator: `--${boundary}`,
    inLatin1: (body) => body.toString('latin1'),
  };
}

function hasMore(body: Buffer, separator: string, max: number): boolean {
  let count = 0;
  for (let at = body.indexOf(separator); at >= 0; at = body.indexOf(separator, at + separator.length)) {
    count += 1;
    if (count > max) return true;
  }
  return false;
}

/** `%CF` is the byte 0xCF, which in UTF-8 is two. */
function escapedInLatin1(body: Buffer): string {
  return body
    .toString('latin1')
    .replaceAll(/%[89a-f][0-9a-f]/gi, (escaped) =>
      encodeURIComponent(String.fromCharCode(Number(`0x${escaped.slice(1)}`))),
    );
}
