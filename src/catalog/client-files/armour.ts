/** Characters of a line (RFC 9580 section 6). */
const LINE = 64;

/** The checksum at the end (RFC 9580 section 6.1.1): without it, GnuPG 2.2 misreads some keys. */
const crc24 = (bytes: Uint8Array): number => {
  let crc = 0xb704ce;
  for (const byte of bytes) {
    crc ^= byte << 16;
    for (let bit = 0; bit < 8; bit += 1) {
      crc <<= 1;
      if (crc & 0x1000000) crc ^= 0x1864cfb;
    }
  }
  return crc;
};

/** Public keys, armoured as one block (RFC 9580 section 6.2). */
export const armoured = (keys: Uint8Array): string => {
  const lines =
    Buffer.from(keys)
      .toString('base64')
      .match(new RegExp(`.{1,${LINE}}`, 'g')) ?? [];
  const sum = Buffer.alloc(3);
  sum.writeUIntBE(crc24(keys), 0, 3);
  return [
    ...['-----BEGIN PGP PUBLIC KEY BLOCK-----', '', ...lines, `=${sum.toString('base64')}`],
    ...['-----END PGP PUBLIC KEY BLOCK-----', ''],
  ].join('\n');
};
