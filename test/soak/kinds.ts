/** The classes of content, by what proves a response right. Their names are those of the table. */
export const KINDS = {
  small: 'checksum, up to `verify_whole_below`',
  sized: 'checksum, larger, size in the catalog',
  told: 'checksum, larger, length from its good source',
  unsized: 'checksum, larger, no length anywhere',
  lengthOnly: 'no checksum, size in the catalog',
  nothing: 'no checksum, no size',
} as const;

export type Kind = keyof typeof KINDS;

export const isProven = (kind: Kind): boolean => kind !== 'lengthOnly' && kind !== 'nothing';
