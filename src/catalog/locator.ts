import { hash } from 'node:crypto';
import { uuidOf } from '../lib/uuid.ts';
import { keyText, type UnitKey } from '../repositories/unit.ts';

const escapeUnprintable = (json: string): string =>
  json.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

/**
 * The locator under which Pulp's `content_catalog` stores a unit, independent of the repository. It
 * is the hexadecimal SHA-256 of the compact JSON `[type, key]`. The key's fields are sorted.
 * Characters outside printable ASCII are escaped as Python's `json.dumps` does.
 */
export const locatorOf = (typeId: string, key: UnitKey): string =>
  hash('sha256', escapeUnprintable(`[${JSON.stringify(typeId)},${keyText(key)}]`));

/** A unit id derived from type and key, so that every import gives the same unit the same id. */
export const unitIdOf = (typeId: string, key: UnitKey): string => uuidOf(locatorOf(typeId, key));
