/** What most people send, as the server finds it by the content. */
export const FILE_KINDS = ['image/*', 'application/pdf', 'audio/*', 'video/*', 'text/plain'] as const;

const MEGABYTE = 1_048_576;

/** The types of `offered` that a saved list accepts. */
export const kindsOf = (types: readonly string[], offered: readonly string[]): readonly string[] =>
  offered.filter((kind) => types.includes(kind));

/** The other types that a saved list accepts. */
export const otherTypes = (types: readonly string[], offered: readonly string[]): readonly string[] =>
  types.filter((type) => !offered.includes(type));

/** As it is typed: two places at most. */
export const megabytesOf = (bytes: number): string => String(Math.floor((bytes / MEGABYTE) * 100) / 100);

/** What is shown is rounded down: the limit itself must come back as it was. */
export function toBytes(megabytes: string, limit: number): number {
  if (megabytes === megabytesOf(limit)) return limit;
  return Math.max(1, Math.min(limit, Math.round(Number(megabytes) * MEGABYTE)));
}
