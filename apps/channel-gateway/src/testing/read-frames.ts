/** Unmasked text frames of one write (RFC 6455 §5.2). */
export function readWebSocket(bytes: Buffer): string[] {
  const texts: string[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const short = bytes[offset + 1] ?? 0;
    const header = short < 126 ? 2 : short === 126 ? 4 : 10;
    const length =
      short < 126 ? short : short === 126 ? bytes.readUInt16BE(offset + 2) : bytes.readUInt32BE(offset + 6);
    texts.push(bytes.toString('utf8', offset + header, offset + header + length));
    offset += header + length;
  }
  return texts;
}

export function readSse(bytes: Buffer): string[] {
  return [...bytes.toString('utf8').matchAll(/^data: (.*)$/gm)].map((match) => match[1] ?? '');
}
