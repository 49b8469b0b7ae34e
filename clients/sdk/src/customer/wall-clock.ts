function formatOf(timeZone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
}

/** Reads times that a site wrote without a zone: what a clock on a wall of `timeZone` showed. A zone that is none is UTC. */
export function wallClock(timeZone: string): (asIfUtc: number) => number {
  if (timeZone === 'UTC') return (asIfUtc) => asIfUtc;
  let format: Intl.DateTimeFormat;
  try {
    format = formatOf(timeZone);
  } catch (error) {
    // oxlint-disable-next-line no-console -- the person who puts the name into a page is the one this is for
    console.error(`[chat] timeZone ${timeZone} is none that this browser knows`, error);
    return (asIfUtc) => asIfUtc;
  }
  const shown = (at: number): number => {
    const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
    const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = part;
    return Date.UTC(year, month - 1, day, hour, minute, second);
  };
  return (asIfUtc) => {
    const whole = Math.floor(asIfUtc / 1_000) * 1_000;
    // Twice, since between the first guess and the moment the clocks may have been changed.
    const guess = asIfUtc - (shown(whole) - whole);
    const exact = Math.floor(guess / 1_000) * 1_000;
    return asIfUtc - (shown(exact) - exact);
  };
}
