/**
 * A UUID of version 8 (RFC 9562 section 5.8) whose free bits are those of a digest in hex. The same
 * digest makes the same UUID.
 */
export const uuidOf = (digest: string): string => {
  const variant = ((Number.parseInt(digest.charAt(16), 16) & 0x3) | 0x8).toString(16);
  return [
    digest.slice(0, 8),
    digest.slice(8, 12),
    `8${digest.slice(13, 16)}`,
    variant + digest.slice(17, 20),
    digest.slice(20, 32),
  ].join('-');
};
