import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Checksum } from '../../pipelines/model/index.ts';
import type { Listed } from '../../src/catalog/answer.ts';
import type { KeptRevision, StoreHistory } from '../../src/catalog/history.ts';
import { importRepository } from '../../src/catalog/import.ts';
import type { CatalogStore } from '../../src/catalog/store.ts';
import { type Format, METADATA } from '../../src/repositories/format.ts';
import { readFileUrl } from '../support/read-file-url.ts';

const importer = 'a'.repeat(24);
const B = 'b'.repeat(24);

/** What a revision has: a digit for the content of each path. */
type Content = Readonly<Record<string, number>>;

const checksumOf = (digit: number): Checksum => ({ algorithm: 'sha256', value: String(digit).repeat(64) });

const listing = (content: Content, unitTypeId = 'iso'): Format =>
  async function* () {
    for (const [path, digit] of Object.entries(content))
      yield { path, unitTypeId, unitKey: { name: path }, checksum: checksumOf(digit), size: 1 };
  };

const all = async <T>(values: Listed<readonly T[]>): Promise<T[]> => {
  const found: T[] = [];
  for await (const step of values) found.push(...step);
  return found;
};

const historyOf = ({ history }: CatalogStore): StoreHistory => {
  if (!history) throw new Error('expected a catalog that keeps revisions');
  return history;
};

interface How {
  readonly at: number;
  readonly keep?: number;
  readonly by?: string;
  readonly prefix?: string;
  readonly type?: string;
}

const publish = (catalog: CatalogStore, content: Content, how: How) =>
  importRepository({
    ...{ catalog, format: listing(content, how.type), base: 'http://h/', read: readFileUrl },
    ...{ prefix: how.prefix ?? '/p', importer: how.by ?? importer },
    grace: { now: how.at, seconds: 5 },
    keeping: { now: how.at, seconds: how.keep ?? 0 },
  });

/** What a revision has, by the paths that any has had. */
const contentOf = async (history: StoreHistory, revision: KeptRevision, paths: readonly string[]): Promise<Content> => {
  const found: Record<string, number> = {};
  for (const path of paths) {
    const entry = await history.find(`${revision.prefix}/${path}`, revision);
    if (entry) found[path] = Number(entry.checksum?.value[0]);
  }
  return found;
};

const PATHS = ['a', 'b/c', 'b/d', 'e'];

type Step =
  | { readonly publish: Content }
  | { readonly label: string; readonly which: number }
  | { readonly unlabel: string }
  | { readonly pass: number }
  | { readonly keep: number };

const content: fc.Arbitrary<Content> = fc
  .array(fc.tuple(fc.constantFrom(...PATHS), fc.integer({ min: 1, max: 3 })), { maxLength: 4 })
  .map((pairs) => Object.fromEntries(pairs));

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ publish: content }) },
  fc.record({ label: fc.constantFrom('x', 'y'), which: fc.nat() }),
  fc.record({ unlabel: fc.constantFrom('x', 'y') }),
  fc.record({ pass: fc.integer({ min: 1, max: 30 }) }),
  fc.record({ keep: fc.constantFrom(0, 20, 50) }),
);

interface Snapshot {
  readonly revision: number;
  readonly content: Content;
  readonly published: number;
  superseded?: number;
}

/** What every catalog must do that keeps earlier revisions. */
export const historyContract = (name: string, open: () => Promise<CatalogStore>, numRuns: number): void =>
  describe(`${name}: earlier revisions`, () => {
    it('are as they were, for as long as they are to be kept, whatever happens', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
          const catalog = await open();
          const history = historyOf(catalog);
          let snapshots: Snapshot[] = [];
          const labels = new Map<string, number>();
          let [now, keep] = [1000, 0];
          const drop = () => {
            const named = new Set(labels.values());
            snapshots = snapshots.filter(
              ({ revision, superseded = Number.POSITIVE_INFINITY }) => superseded > now - keep || named.has(revision),
            );
          };
          for (const one of steps) {
            now += 1;
            if ('publish' in one) {
              const { revision } = await publish(catalog, one.publish, { at: now, keep });
              const last = snapshots.at(-1);
              if (last) last.superseded = now;
              snapshots.push({ revision, content: one.publish, published: now });
              drop();
            } else if ('label' in one) {
              const kept = await history.revisions('/p');
              const chosen = kept[one.which % kept.length];
              if (!chosen) continue;
              await history.label('/p', one.label, [chosen], now);
              labels.set(one.label, chosen.revision);
            } else if ('unlabel' in one) {
              expect(await history.unlabel('/p', one.unlabel)).toBe(labels.delete(one.unlabel));
            } else if ('pass' in one) now += one.pass;
            else {
              keep = one.keep;
              await history.prune({ now, seconds: keep });
              drop();
            }
            const kept = await history.revisions('/p');
            expect(kept.map(({ revision, published, superseded }) => ({ revision, published, superseded }))).toEqual(
              snapshots.map(({ revision, published, superseded }) => ({ revision, published, superseded })),
            );
            for (const [at, snapshot] of snapshots.entries()) {
              const revision = kept[at] as KeptRevision;
              expect(await contentOf(history, revision, PATHS)).toEqual(snapshot.content);
              const top = (await history.children('/p/', [revision], undefined, 9)).map(({ name }) => name);
              expect(top).toEqual([...new Set(Object.keys(snapshot.content).map((path) => path.split('/')[0]))].sort());
            }
          }
          const needed = snapshots.flatMap(({ content }) =>
            Object.entries(content).map(([path, digit]) => `/p/${path} ${digit}`),
          );
          const there = await all(catalog.entries.tidied(now));
          expect(needed).toEqual(
            expect.arrayContaining(there.map(({ path, checksum }) => `${path} ${checksum?.value[0]}`)),
          );
          for (const label of labels.keys()) await history.unlabel('/p', label);
          await history.prune({ now, seconds: 0 });
          // Nothing remains of them.
          const left = await all(catalog.entries.tidied(now));
          expect(left.map(({ path }) => path).sort()).toEqual(
            Object.keys(snapshots.at(-1)?.content ?? {})
              .map((path) => `/p/${path}`)
              .sort(),
          );
          expect(await history.revisions('/p')).toHaveLength(snapshots.length > 0 ? 1 : 0);
          await catalog.close();
        }),
        { numRuns },
      );
    });

    it('need their copies and their metadata until they are dropped', async () => {
      const catalog = await open();
      const history = historyOf(catalog);
      await publish(catalog, { a: 1 }, { at: 1, keep: 100, type: METADATA });
      await publish(catalog, { a: 2 }, { at: 2, keep: 100, type: METADATA });
      await publish(catalog, { a: 3 }, { at: 3, keep: 100, type: METADATA });
      const sums = async () =>
        (await catalog.entries.metadataChecksums()).map((name) => name.replace(/^sha256-(.)\1*$/, '$1')).sort();
      expect(await sums()).toEqual(['1', '2', '3']);
      expect((await all(catalog.entries.tidied(0))).map(({ checksum }) => checksum?.value[0])).toEqual(['3', '1', '2']);
      await history.prune({ now: 102, seconds: 100 });
      expect(await sums()).toEqual(['2', '3']);
      await history.prune({ now: 103, seconds: 100 });
      expect(await sums()).toEqual(['3']);
    });

    it('keep the keys of their units', async () => {
      const catalog = await open();
      await publish(catalog, { a: 1 }, { at: 1, keep: 100 });
      const [{ unitTypeId = '', unitId = '' } = {}] = await catalog.entries.find('/p/a');
      await publish(catalog, { b: 1 }, { at: 2, keep: 100 });
      await publish(catalog, { b: 1 }, { at: 20, keep: 100 });
      expect(await catalog.entries.find('/p/a')).toEqual([]);
      expect(await catalog.units.find(unitTypeId, unitId)).toEqual({ name: 'a' });
    });

    it('belong to their importer and prefix', async () => {
      const catalog = await open();
      const history = historyOf(catalog);
      await publish(catalog, { a: 1 }, { at: 1, keep: 100 });
      await publish(catalog, { b: 2 }, { at: 1, keep: 100, by: B });
      await publish(catalog, { a: 3 }, { at: 1, keep: 100, prefix: '/p/q' });
      await publish(catalog, { c: 1 }, { at: 2, keep: 100 });
      const kept = await history.revisions('/p');
      expect(kept.map(({ importerId, superseded }) => [importerId, superseded])).toEqual([
        [importer, 2],
        [B, undefined],
        [importer, undefined],
      ]);
      const [first, other] = kept as [KeptRevision, KeptRevision];
      expect(await history.find('/p/a', first)).toMatchObject({ checksum: checksumOf(1) });
      expect(await history.find('/p/b', first)).toBeUndefined();
      expect(await history.find('/p/q/a', first)).toBeUndefined();
      expect(await history.find('/p/b', other)).toMatchObject({ checksum: checksumOf(2) });
      const names = await history.children('/p/', [first, other], undefined, 9);
      expect(names.map(({ name }) => name)).toEqual(['a', 'b']);
      expect([history.isPrefix('/p'), history.isPrefix('/p/q'), history.isPrefix('/q')]).toEqual([true, true, false]);
    });

    it('go with their repository, and a path of theirs with the path', async () => {
      const catalog = await open();
      const history = historyOf(catalog);
      await publish(catalog, { a: 1, b: 1 }, { at: 1, keep: 100 });
      await publish(catalog, { a: 2, b: 2 }, { at: 2, keep: 100 });
      const [old] = (await history.revisions('/p')) as [KeptRevision];
      await catalog.entries.remove('/p/a');
      expect(await history.find('/p/a', old)).toBeUndefined();
      expect(await history.find('/p/b', old)).toMatchObject({ checksum: checksumOf(1) });
      await history.label('/p', 'x', [old], 3);
      await catalog.entries.removeBelow('/p');
      expect([await history.revisions(), await history.labels()]).toEqual([[], []]);
      expect(await history.find('/p/b', old)).toBeUndefined();
    });

    it('take a label only if they are kept, and all of it or nothing', async () => {
      const catalog = await open();
      const history = historyOf(catalog);
      await publish(catalog, { a: 1 }, { at: 1 });
      const [present] = (await history.revisions('/p')) as [KeptRevision];
      await history.label('/p', 'x', [present], 5);
      const gone = { ...present, revision: 7 };
      await expect(async () => history.label('/p', 'x', [present, gone], 6)).rejects.toThrow(
        'revision 7 of /p is not kept',
      );
      expect(await history.labels('/p')).toMatchObject([{ name: 'x', revision: 1, moved: 5 }]);
    });
  });
