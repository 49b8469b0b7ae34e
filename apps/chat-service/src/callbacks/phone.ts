import { type CountryCode, isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js/max';
import { fieldError } from '../field-error.ts';

export interface ParsedPhone {
  /** `+79991234567`. */
  readonly e164: string;
  /** What is dialled after the call is answered. E.164 has no room for it. */
  readonly extension: string | undefined;
}

export function isCountryCode(text: string): text is CountryCode {
  return isSupportedCountry(text);
}

/**
 * Reads a number as people write it: `8 (999) 123-45-67`, `+7 999…`, `0044…`.
 * @throws ChatError 422 when it cannot be dialled.
 */
export function parsePhone(text: string, defaultCountry: CountryCode): ParsedPhone {
  const number = parsePhoneNumberFromString(text, { defaultCountry, extract: false });
  if (number === undefined || !number.isValid()) {
    throw fieldError('phone', 'must be a phone number');
  }
  return { e164: number.number, extension: number.ext };
}
