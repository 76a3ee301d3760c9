import type { NotWarmed, Wanted } from '../../../pipelines/index.ts';
import { trimPrefix } from '../../catalog/prefix.ts';
import type { CatalogStore } from '../../catalog/store.ts';
import type { StoredEntry } from '../../catalog/stored-entry.ts';
import type { RepositoryKey } from '../../catalog/stored-repository.ts';
import type { UnitKey } from '../../repositories/unit.ts';
import { compareVersions, isPackage, type PackageName, packageOf } from '../../repositories/versions.ts';
import type { CopyUses } from '../../saves/copies/uses.ts';

/** A package that may be fetched ahead. */
export interface WantedPackage extends Wanted {
  readonly entry: StoredEntry;
  /** When clients last used a version of it, in milliseconds since 1970. Absent if none is known. */
  readonly usedAt?: number;
  readonly skip?: NotWarmed;
}

export interface PlanParts {
  readonly own: { readonly entries: Pick<CatalogStore['entries'], 'pages'>; readonly units: CatalogStore['units'] };
  readonly uses: CopyUses;
}

interface Found {
  readonly entry: StoredEntry;
  readonly key: UnitKey;
  readonly named: PackageName;
}

/** Reads the packages of a repository that are `worth` a look at their units, in small steps. */
async function* packagesOf(
  { own }: PlanParts,
  { prefix, importerId }: RepositoryKey,
  worth: (entry: StoredEntry) => boolean,
): AsyncGenerator<Found> {
  const place = trimPrefix(prefix);
  const isOwn = (entry: StoredEntry) =>
    entry.importerId === importerId && entry.prefix === place && isPackage(entry.unitTypeId);
  for await (const page of own.entries.pages(prefix)) {
    const entries = page.filter((entry) => isOwn(entry) && worth(entry));
    const keys = await Promise.all(entries.map(({ unitTypeId, unitId }) => own.units.find(unitTypeId, unitId)));
    for (const [at, entry] of entries.entries()) {
      const key = keys[at];
      const named = key && packageOf(entry.unitTypeId, key);
      if (named) yield { entry, key, named };
    }
  }
}

/** A former revision had it. Clients that have not asked for the new one may still want it. */
const isGone = ({ data }: StoredEntry): boolean => 'gone_since' in data;

/** The newest version of each package that is `wanted`, by its full name. */
const newestOf = async (
  parts: PlanParts,
  repository: RepositoryKey,
  wanted: (named: PackageName) => boolean,
): Promise<ReadonlyMap<string, Found>> => {
  const newest = new Map<string, Found>();
  for await (const found of packagesOf(parts, repository, (entry) => !isGone(entry))) {
    const { entry, key, named } = found;
    if (!wanted(named)) continue;
    const known = newest.get(named.full);
    if (!known || compareVersions(entry.unitTypeId, key, known.key) > 0) newest.set(named.full, found);
  }
  return newest;
};

const wantedOf = ({ entry }: Found, usedAt?: number): WantedPackage => ({
  path: entry.path,
  ...(entry.size !== undefined && { size: entry.size }),
  entry,
  ...(usedAt !== undefined && { usedAt }),
});

/**
 * The newest version of each package of a repository of which some version has a copy that a client
 * used since a time (milliseconds since 1970). Those that have a copy already are left out. The last
 * used come first.
 */
export const planAsked = async (
  parts: PlanParts,
  repository: RepositoryKey,
  since: number,
): Promise<readonly WantedPackage[]> => {
  const { uses } = parts;
  const asked = new Map<string, number>();
  for await (const { entry, named } of packagesOf(
    parts,
    repository,
    (entry) => (uses(entry) ?? Number.NEGATIVE_INFINITY) >= since,
  ))
    asked.set(named.full, Math.max(asked.get(named.full) ?? 0, uses(entry) ?? 0));
  if (asked.size === 0) return [];
  const newest = await newestOf(parts, repository, ({ full }) => asked.has(full));
  return [...newest]
    .flatMap(([full, found]) => (uses(found.entry) === undefined ? [wantedOf(found, asked.get(full))] : []))
    .toSorted((a, b) => (b.usedAt ?? 0) - (a.usedAt ?? 0));
};

export interface NamedPlan {
  /** Those without a copy. */
  readonly wanted: readonly WantedPackage[];
  /** How many have one already. */
  readonly kept: number;
}

/** The newest version of each package whose name, alone or with its architecture, `isNamed`. */
export const planNamed = async (
  parts: PlanParts,
  repository: RepositoryKey,
  isNamed: (name: string) => boolean,
): Promise<NamedPlan> => {
  const newest = await newestOf(parts, repository, ({ name, full }) => [name, full].filter(isNamed).length > 0);
  const all = [...newest.values()];
  const wanted = all.filter(({ entry }) => parts.uses(entry) === undefined).map((found) => wantedOf(found));
  return { wanted, kept: all.length - wanted.length };
};
