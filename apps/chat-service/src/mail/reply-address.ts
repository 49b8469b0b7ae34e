import { createHmac, type KeyObject } from 'node:crypto';
import { MAX_INTEGER } from '@chat-realtime/protocol';
import type { KeyRing } from '@chat-realtime/protocol/tokens';
import { secretsEqual } from '@chat-realtime/service-kit';
import { TAG } from './config.ts';

/** 100 bits: an address is tried by mail, and each try is a mail. Lower case: mail servers change case as they like. */
const SIGNATURE_HEX = 20;

export interface ReplySubject {
  readonly id: number;
  /** A revocation ends the addresses that were given before it. */
  readonly revokedAt: number | null;
}

function signature(secret: KeyObject, { id, revokedAt }: ReplySubject): string {
  return createHmac('sha256', secret)
    .update(`mail-reply\n${id}\n${revokedAt ?? ''}`)
    .digest('hex')
    .slice(0, SIGNATURE_HEX);
}

/** The address a customer answers to: it names the chat and shows that we gave it. */
export class ReplyAddress {
  readonly #ring: KeyRing;
  readonly #template: string;
  readonly #pattern: RegExp;

  /** `template`: an address with `{tag}`. */
  constructor(ring: KeyRing, template: string) {
    this.#ring = ring;
    this.#template = template;
    const [before = '', after = ''] = template
      .split(TAG)
      .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
    this.#pattern = new RegExp(`^${before}c([0-9a-z]{1,11})-([0-9a-f]{${SIGNATURE_HEX}})${after}$`, 'i');
  }

  of(subject: ReplySubject): string {
    const secret = this.#ring.secret(this.#ring.signingKid);
    if (secret === undefined) throw new Error('the ring has no signing key');
    return this.#template.replace(TAG, `c${subject.id.toString(36)}-${signature(secret, subject)}`);
  }

  /** The session an address names, whether or not it is signed; undefined for an address of another form. */
  named(address: string): number | undefined {
    const id = Number.parseInt(this.#pattern.exec(address)?.[1]?.toLowerCase() ?? '', 36);
    return Number.isSafeInteger(id) && id >= 1 && id <= MAX_INTEGER ? id : undefined;
  }

  /** Whether we gave this address for this session as it is now. */
  fits(address: string, subject: ReplySubject): boolean {
    const given = this.#pattern.exec(address)?.[2]?.toLowerCase();
    if (given === undefined || this.named(address) !== subject.id) return false;
    return this.#ring.kids.some((kid) => {
      const secret = this.#ring.secret(kid);
      return secret !== undefined && secretsEqual(given, signature(secret, subject));
    });
  }
}
