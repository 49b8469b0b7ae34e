/** How many parts the keys and shard channels of a Redis Cluster are cut into. */
export const SLOTS = 16_384;

const POLYNOMIAL = 0x1021;
const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ POLYNOMIAL;
  return crc;
});

/** The slot of a key or shard channel: CRC16 (XMODEM) of its hash tag, or of all of it. */
export function slotOf(key: string): number {
  const bytes = Buffer.from(tagOf(key));
  let crc = 0;
  for (const byte of bytes) crc = ((crc << 8) & 0xffff) ^ (TABLE[(crc >> 8) ^ byte] ?? 0);
  return crc % SLOTS;
}

/** The text between the first `{` and the next `}`; an empty one counts as none. */
function tagOf(key: string): string {
  const from = key.indexOf('{');
  if (from < 0) return key;
  const to = key.indexOf('}', from + 1);
  return to <= from + 1 ? key : key.slice(from + 1, to);
}
