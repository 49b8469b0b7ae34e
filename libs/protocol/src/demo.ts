import { z } from 'zod';

export const demoResponseSchema = z.object({
  /** The demo runs, and the console offers to begin for real. */
  demo: z.boolean(),
});
export type DemoResponse = z.infer<typeof demoResponseSchema>;

/** How many chats of the demo were removed. */
export const demoRemovedResponseSchema = z.object({ removed: z.int().min(0) });
export type DemoRemovedResponse = z.infer<typeof demoRemovedResponseSchema>;

export const demoEndedResponseSchema = demoRemovedResponseSchema.extend({
  /** The link with which the administrator creates their account; null if one has already joined. */
  invite_url: z.string().nullable(),
});
export type DemoEndedResponse = z.infer<typeof demoEndedResponseSchema>;
