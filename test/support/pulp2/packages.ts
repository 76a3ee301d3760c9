import { createHash } from 'node:crypto';
import type { Pulp2, UnitKey } from './pulp2.ts';

/** An entry of a package: where it is, and what is unusual about it. */
export interface Known {
  readonly url: string;
  /** The importer's configuration, or its id. */
  readonly importer?: object | string;
  /** Instead of the id of a unit that there is. */
  readonly unit?: string;
}

export interface PublishedPackage {
  /** Where clients are sent for it. */
  readonly path: string;
  readonly key: UnitKey;
  /** Ids, one for each entry. */
  readonly importers: readonly string[];
}

/** Catalogs packages of one content as Pulp does, each with entries from the oldest to the newest. */
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
