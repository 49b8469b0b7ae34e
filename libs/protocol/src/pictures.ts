import { z } from 'zod';
import { safeText } from './primitives.ts';

/** Of an operator: a PNG or a JPEG, square or nearly so, as small as it is shown. */
export const PICTURE_MAX_BYTES = 98_304;
export const PICTURE_MIN_SIDE = 32;
export const PICTURE_MAX_SIDE = 512;
export const PICTURES_AT_ONCE = 20;

export const pictureRequestSchema = z.object({
  /** The file in base64. */
  image: z
    .base64()
    .min(1)
    .max(Math.ceil(PICTURE_MAX_BYTES / 3) * 4),
});
/** Path of the picture; another one after each change. */
export const pictureResponseSchema = z.object({ picture: z.string() });
export const picturesQuerySchema = z.object({
  /** Ids of operators, with commas between them. */
  ids: safeText(2_000).refine(
    (ids) => ids !== '' && ids.split(',').length <= PICTURES_AT_ONCE,
    `must be 1 to ${PICTURES_AT_ONCE} ids with commas between them`,
  ),
});
/** Operators without a picture are absent. */
export const picturesResponseSchema = z.object({ pictures: z.record(z.string(), z.string()) });
export type PicturesResponse = z.infer<typeof picturesResponseSchema>;
