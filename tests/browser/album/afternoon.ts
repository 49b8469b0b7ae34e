/** A zone in which it is two in the afternoon now: whenever pictures are made, nobody in them works at night. */
export function afternoonZone(now = new Date()): string {
  const ahead = ((14 - now.getUTCHours() + 36) % 24) - 12;
  // The sign of these names is the opposite of what one expects.
  return `Etc/GMT${ahead > 0 ? '-' : '+'}${Math.abs(ahead)}`;
}
