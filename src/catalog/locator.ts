import { createHash } from 'node:crypto';
import { keyText, type UnitKey } from '../repositories/unit.ts';

const escapeUnprintable = (json: string): string =>
  json.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

/**
 * The locator under which Pulp's `content_catalog` stores a unit, independent of the repository. It
 * is the hexadecimal SHA-256 of the compact JSON `[type, key]`. The key's fields are sorted.
 * Characters outside printable ASCII are escaped as Python's `json.dumps` does.
 */
export const locatorOf = (typeId: string, key: UnitKey): string =>
  createHash('sha256')
    .update(escapeUnprintable(`[${JSON.stringify(typeId)},${keyText(key)}]`))
    .digest('hex');

/**
 * A unit id derived from type and key, so that every import gives the same unit the same id. It is
 * a UUID of version 8 (RFC 9562 section 5.8) whose free bits are those of the locator.
 */
export const unitIdOf = (typeId: string, key: UnitKey): string => {
  const hex = locatorOf(typeId, key);
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    variant + hex.slice(17, 20),
    hex.slice(20, 32),
  ].join('-');
};
