/** What a browser sends of an address; undefined where it is none. */
export function originOf(text: string): string | undefined {
  const address = text.trim();
  if (!/^https?:\/\//i.test(address) || !URL.canParse(address)) return undefined;
  return new URL(address).origin;
}
