/** How long before its end a token is renewed. */
const EARLY_MS = 60_000;

/** After how much of its life a token is renewed: one that lives for less than two minutes, half-way. */
export const renewAfterMs = (lifeMs: number): number => Math.max(lifeMs - EARLY_MS, lifeMs / 2);
