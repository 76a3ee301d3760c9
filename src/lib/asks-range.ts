import type { Ask } from '../../pipelines/model/index.ts';

/**
 * Whether a part of the content is requested. Range is defined for GET only (RFC 9110 section
 * 14.2).
 */
export const asksRange = ({ method, from, last }: Ask): boolean =>
  method === 'GET' && (from !== 0 || last !== undefined);
