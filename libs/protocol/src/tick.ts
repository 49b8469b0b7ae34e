import { z } from 'zod';

/** Sent once a second through the whole live path: its absence tells the gateways that the path is impaired. */
export const tickSchema = z.object({
  revocations_head: z.int().min(0),
  /** Nobody reads a source of the site: what happens there does not come. */
  source_lost: z.boolean().optional(),
});
