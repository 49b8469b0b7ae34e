/** Order of two staff feed positions `<xid>.<event id>`: negative, 0 or positive. */
export function compareFeedPositions(left: string, right: string): number {
  const [leftXid = '0', leftId = '0'] = left.split('.');
  const [rightXid = '0', rightId = '0'] = right.split('.');
  return compareIntegers(leftXid, rightXid) || compareIntegers(leftId, rightId);
}

function compareIntegers(left: string, right: string): number {
  const a = BigInt(left);
  const b = BigInt(right);
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
