import { createHash } from 'node:crypto';
import type { Pulp2, UnitKey } from './pulp2.ts';

/** A special entry of a package: its URL and its deviations. */
export interface Known {
  readonly url: string;
  /** The importer's configuration, or its id. */
  readonly importer?: object | string;
  /** Replaces the id of an existing unit. */
  readonly unit?: string;
}

export interface PublishedPackage {
  /** The path that clients are redirected to. */
  readonly path: string;
  readonly key: UnitKey;
  /** Ids, one for each entry. */
  readonly importers: readonly string[];
}

/**
 * Catalogues packages of one content as Pulp does, each with entries from the oldest to the newest.
 */
export const packagesIn = (
  pulp: Pulp2,
  content: Uint8Array,
): ((...entries: readonly Known[]) => Promise<PublishedPackage>) => {
  const checksum = createHash('sha256').update(content).digest('hex');
  let published = 0;
  return async (...entries) => {
    const name = `bear-${++published}`;
    const version = { epoch: '0', version: '4.1', release: '1', arch: 'noarch' };
    const key: UnitKey = { name, ...version, checksumtype: 'sha256', checksum };
    const path = await pulp.storagePath('rpm', key, 'bear.rpm');
    const unitId = await pulp.unit('rpm', key);
    const importers: string[] = [];
    for (const { url, importer = {}, unit = unitId } of entries) {
      const importerId = typeof importer === 'string' ? importer : await pulp.importer(importer);
      importers.push(importerId);
      const ids = { importer_id: importerId, unit_id: unit, unit_type_id: 'rpm' };
      await pulp.entry({ path, ...ids, url, checksum, algorithm: 'sha256' });
    }
    return { path, key, importers };
  };
};
