import type { Db } from 'mongodb';
import type { CatalogEntry } from '../../../pipelines/model/index.ts';

type Unit = Pick<CatalogEntry, 'unitTypeId' | 'unitId'>;

interface UnitDocument {
  readonly _id: string;
  readonly [field: string]: unknown;
}

/**
 * The collection of a type's units. Absent if the name cannot be a type of Pulp's: with a `$` or a
 * dot it could lead to another collection, and of one that is too long MongoDB refuses the query.
 */
export const unitsOf = (database: Db, typeId: string) =>
  /^[\w-]{1,64}$/.test(typeId) ? database.collection<UnitDocument>(`units_${typeId}`) : undefined;

/** The units of one type that the database has, by their ids. */
const present = async (database: Db, typeId: string, ids: readonly string[], maxTimeMS: number) => {
  const options = { projection: { _id: 1 }, maxTimeMS };
  const found = await unitsOf(database, typeId)
    ?.find({ _id: { $in: [...ids] } }, options)
    .toArray();
  return found?.map(({ _id }) => _id) ?? [];
};

/** Which of these units the database does not have. One query for each type. */
export const missingUnits = async <U extends Unit>(
  database: Db,
  units: readonly U[],
  maxTimeMS: number,
): Promise<readonly U[]> => {
  const byType = Map.groupBy(units, ({ unitTypeId }) => unitTypeId);
  const missing = await Promise.all(
    [...byType].map(async ([typeId, ofType]) => {
      const known = new Set(
        await present(
          database,
          typeId,
          ofType.map(({ unitId }) => unitId),
          maxTimeMS,
        ),
      );
      return ofType.filter(({ unitId }) => !known.has(unitId));
    }),
  );
  return missing.flat();
};
