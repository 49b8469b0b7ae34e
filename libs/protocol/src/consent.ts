import { z } from 'zod';
import { safeText, timestampSchema } from './primitives.ts';

/** What the visitor agreed to: true, or the version of the text they saw. */
export const consentSchema = z.union([
  z.boolean(),
  z.object({ version: safeText(64), accepted: z.boolean().optional() }),
]);
export type ConsentGiven = z.infer<typeof consentSchema>;

/** The words of a version, and since when they were in force. */
export const consentWordsSchema = z.object({
  version: z.string(),
  text: z.string(),
  url: z.string().nullable(),
  /** The texts a widget shows instead: `consent`, `consent.ru`, `consent.en`, if the site has them. */
  texts: z.record(z.string(), z.string()),
  since: timestampSchema,
});
export type ConsentWords = z.infer<typeof consentWordsSchema>;

/** A person's consent, with its time and words; `text` is null if these were not stored then. */
export const consentProofSchema = z.object({
  given: consentSchema,
  at: timestampSchema,
  text: consentWordsSchema.nullable(),
});
export type ConsentProof = z.infer<typeof consentProofSchema>;
export const consentProofResponseSchema = z.object({ consent: consentProofSchema.nullable() });
