/** The key in the fragment, which is sent to no server and stands in no log. */
export function invitePath(key: string): string {
  return `/operator/#invite=${key}`;
}
