/** Where the transport that worked last time is kept. */
export const REMEMBERED = 'transport';
