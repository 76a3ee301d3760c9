import { expect, it } from '@jest/globals';
import { EMPTY, lastValueFrom, toArray } from 'rxjs';
import { withDatedViews } from '../../../../src/app/repositories/dated-views.ts';
import type { Keeping, StoreHistory } from '../../../../src/catalog/history.ts';
import { prune, sharedHistory } from '../../../../src/catalog/shared/history.ts';
import type { SharedStore } from '../../../../src/catalog/shared/open.ts';
import type { Session } from '../../../../src/catalog/shared/session.ts';
import { makeSharedStaging } from '../../../../src/catalog/shared/staging.ts';
import type { CatalogStore } from '../../../../src/catalog/store.ts';
import { describeMongo, serverName } from '../../../support/mongodb.ts';
import { sharedStores } from '../../../support/shared-catalog.ts';

const importerId = 'a'.repeat(24);
const key = { prefix: '/r', importerId };
const NOTHING_KEPT: Keeping = { now: 2_000, seconds: 0 };

const entriesOf = (contents: Readonly<Record<string, string>>) =>
  Object.entries(contents).map(([name, digit]) => ({
    ...{
      path: `/r/${name}`,
      importerId,
      unitId: name,
      unitTypeId: 'iso',
      url: `http://h/${name}`,
      revision: 0,
      data: {},
    },
    checksum: { algorithm: 'sha256', value: digit.repeat(64) } as const,
  }));

const publish = async (
  { entries }: Pick<CatalogStore, 'entries'>,
  contents: Readonly<Record<string, string>>,
  keeping: Keeping = NOTHING_KEPT,
) => {
  const staging = await entries.stage();
  await staging.write(entriesOf(contents));
  return staging.publishRevision(importerId, '/r', { keeping });
};

const historyOf = ({ history }: CatalogStore): StoreHistory => {
  if (!history) throw new Error('expected a catalog that keeps revisions');
  return history;
};

/** The content of a path in a revision: its digit. */
const contentAt = async (store: CatalogStore, revision: number, name: string) =>
  (await historyOf(store).find(`/r/${name}`, { ...key, revision }))?.checksum?.value[0];

const revisions = async (store: CatalogStore) =>
  (await historyOf(store).revisions('/r')).map(({ revision }) => revision);
const labels = async (store: CatalogStore) =>
  (await historyOf(store).labels('/r')).map(({ name, revision }) => [name, revision]);

/** Does something once, before a method of a collection is called. */
const before = <T extends object>(collection: T, method: keyof T & string, first: () => unknown): T => {
  let done = false;
  return new Proxy(collection, {
    get: (target, name) => {
      const value = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      if (name !== method) return value.bind(target);
      return async (...given: unknown[]) => {
        if (!done) {
          done = true;
          await first();
        }
        return value.apply(target, given);
      };
    },
  });
};

describeMongo(`A label in a catalog that is shared in ${serverName}`, () => {
  const stores = sharedStores();

  const openTwo = async (): Promise<readonly [SharedStore, SharedStore]> => {
    const catalog = await stores.catalog();
    return [await catalog.open(), await catalog.open()];
  };

  it('keeps the revision that it names, also if another process is just publishing the next one', async () => {
    const [one, other] = await openTwo();
    await publish(one, { a: '1', b: '1' });
    let tries = 0;
    const session: Session = {
      ...one.session,
      change: (work) =>
        one.session.change(async (change) => {
          const done = await work(change);
          tries += 1;
          // All is written, and nothing counts yet.
          if (tries === 1) await historyOf(other).label('/r', 'prod', [{ ...key, revision: 1 }], 1);
          return done;
        }),
    };
    const staging = makeSharedStaging(session);
    await staging.write(entriesOf({ a: '2' }));
    expect(await staging.publishRevision(importerId, '/r', { keeping: NOTHING_KEPT })).toMatchObject({ revision: 2 });
    expect([tries, await revisions(other), await labels(other)]).toEqual([2, [1, 2], [['prod', 1]]]);
    for (const store of [one, other])
      expect([await contentAt(store, 1, 'a'), await contentAt(store, 1, 'b'), await contentAt(store, 2, 'a')]).toEqual([
        ...['1', '1', '2'],
      ]);
    expect(await contentAt(other, 2, 'b')).toBeUndefined();
  });

  it('keeps it, also if another process is just removing it', async () => {
    const [one, other] = await openTwo();
    const keeping = { now: 1_000, seconds: 100 };
    for (const digit of ['1', '2', '3']) await publish(one, { a: digit, [digit]: '9' }, keeping);
    await one.session.change(async (change) => {
      const label = () => historyOf(other).label('/r', 'prod', [{ ...key, revision: 2 }], 1);
      await prune({ ...change, revisions: before(change.revisions, 'deleteMany', label) }, key, NOTHING_KEPT);
      return { result: undefined };
    });
    expect([await revisions(other), await labels(other)]).toEqual([[2, 3], [['prod', 2]]]);
    expect([await contentAt(other, 2, 'a'), await contentAt(other, 2, '2'), await contentAt(other, 3, 'a')]).toEqual([
      ...['2', '9', '3'],
    ]);
    expect([await contentAt(other, 2, '3'), await contentAt(other, 1, 'a')]).toEqual([undefined, undefined]);
  });

  it('is not set, and names what it did, if another process removes the revision in between', async () => {
    const [one, other] = await openTwo();
    const keeping = { now: 1_000, seconds: 100 };
    for (const digit of ['1', '2', '3']) await publish(one, { a: digit }, keeping);
    await historyOf(one).label('/r', 'prod', [{ ...key, revision: 1 }], 1);
    const session: Session = {
      ...one.session,
      asking: (question) =>
        one.session.asking((collections, view) =>
          question(
            {
              ...collections,
              labels: before(collections.labels, 'replaceOne', () => historyOf(other).prune(NOTHING_KEPT)),
            },
            view,
          ),
        ),
    };
    const history = sharedHistory(session, () => true);
    for (const name of ['prod', 'new'])
      await expect(history.label('/r', name, [{ ...key, revision: 2 }], 5)).rejects.toThrow(
        'revision 2 of /r is not kept',
      );
    expect([await revisions(other), await labels(other)]).toEqual([[1, 3], [['prod', 1]]]);
    expect(await contentAt(other, 1, 'a')).toBe('1');
  });

  it.each(['labels', 'revisions', 'find'] as const)(
    'has its view at each moment, also if it is moved, and what it named is removed, at the %s of a request',
    async (method) => {
      const [one, other] = await openTwo();
      const keeping = { now: 1_000, seconds: 100 };
      await publish(one, { a: '1' }, keeping);
      await historyOf(one).label('/r', 'prod', [{ ...key, revision: 1 }], 1);
      await publish(one, { a: '2' }, keeping);
      const move = async () => {
        await historyOf(other).label('/r', 'prod', [{ ...key, revision: 2 }], 2);
        await publish(other, { a: '3' }, NOTHING_KEPT);
      };
      await one.watch.fresh();
      const history = before(historyOf(one), method, move);
      const nothing = { lookup: () => EMPTY };
      const views = withDatedViews({
        ...{ catalog: nothing, listed: nothing, store: { ...one, history } },
        ...{ maxAge: () => 0, keeps: () => false },
      });
      const found = await lastValueFrom(views.lookup('/r@prod/a').pipe(toArray()));
      expect(found.map(({ checksum, asOf }) => [checksum?.value[0], asOf?.slice(0, 10)])).toEqual([
        ['2', 'revision 2'],
      ]);
      expect(await revisions(other)).toEqual([2, 3]);
    },
  );
});
