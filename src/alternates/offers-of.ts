import { fileURLToPath } from 'node:url';
import { firstValueFrom, type Observable } from 'rxjs';
import type { Access, RefreshProgress } from '../../pipelines/index.ts';
import type { Offer } from '../catalog/refresh-store.ts';
import type { OpenFiles, Repository } from '../repositories/format.ts';
import type { Limits } from '../repositories/reader/guard.ts';
import { toUrlPath, urlOf } from '../repositories/relative-path.ts';
import { type Cataloger, placeOf } from './catalogers/cataloger.ts';
import type { AlternateSource } from './descriptors/parse.ts';

/** How the offers of sources are read. */
export interface OfferParts {
  readonly files: OpenFiles;
  /** What the process that reads metadata may take. Absent: as much as usual. */
  readonly limits?: Limits;
  readonly catalogerOf: (source: AlternateSource) => Cataloger;
  readonly accessOf: (source: AlternateSource) => Observable<Access>;
  /** Called with each index that a repository lists but does not have. */
  readonly onMissing?: (source: AlternateSource, url: string) => void;
  /** Called with odd entries that are left out: what is wrong with the first, and their number. */
  readonly onLeftOut?: (source: AlternateSource, problem: string, count: number) => void;
}

/** The URL of the folder that contains all units of a path. */
export const folderOf = (
  source: AlternateSource,
  path: string,
  { catalogerOf }: Pick<OfferParts, 'catalogerOf'>,
): string => source.baseUrl + placeOf(catalogerOf(source), path).path;

/**
 * Reads the units of a path, and yields an offer of each. Errors if the path cannot be read to its end. `left` ends it.
 */
export async function* offersOf(
  source: AlternateSource,
  path: string,
  parts: OfferParts,
  left: Observable<void>,
  expiration: number,
  report: (progress: Omit<RefreshProgress, 'units'>) => void,
): AsyncGenerator<Offer> {
  const { accessOf, catalogerOf, files, limits, onMissing, onLeftOut } = parts;
  const root = source.baseUrl.startsWith('file:') ? fileURLToPath(source.baseUrl) : undefined;
  const read = files(await firstValueFrom(accessOf(source)), { until: left, ...(root !== undefined && { root }) });
  const cataloger = catalogerOf(source);
  const { selection = {} } = placeOf(cataloger, path);
  const base = folderOf(source, path, parts);
  const repository: Repository = {
    base,
    read: async function* (file, expected) {
      let bytes = 0;
      for await (const chunk of read(urlOf(base, file), expected)) {
        bytes += chunk.byteLength;
        report({ file, bytes, size: expected?.size });
        yield chunk;
      }
    },
    missing: (path) => onMissing?.(source, base + toUrlPath(path)),
    leftOut: (problem, count) => onLeftOut?.(source, problem, count),
    // Clients ask for the unit by its key.
    bypassed: () => {},
    ...(limits && { limits }),
  };
  for await (const { unitTypeId: typeId, unitKey, path } of cataloger.read(repository, selection))
    yield { sourceId: source.id, typeId, unitKey, url: urlOf(base, path), expiration };
}
