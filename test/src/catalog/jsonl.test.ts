import { describe, expect, it } from '@jest/globals';
import { loadLines } from '../../../src/catalog/jsonl.ts';
import { openSqliteCatalog, type SqliteCatalog } from '../../../src/catalog/sqlite/catalog.ts';
import { toLine } from '../../../src/catalog/to-line.ts';

const LINE = {
  _id: '5d3f0c3d8a1f5a3d2b1c0d9e',
  _ns: 'lazy_content_catalog',
  path: '/p/bear.rpm',
  importer_id: 'a'.repeat(24),
  unit_id: '0e2b…',
  unit_type_id: 'rpm',
  url: 'https://feed.example.com/bear.rpm',
  checksum: 'C'.repeat(64),
  checksum_algorithm: 'sha256',
  revision: 3,
  data: { size: 5 },
};

const load = (catalog: SqliteCatalog, text: string, pieceSize = 50) =>
  loadLines(
    catalog,
    'in.jsonl',
    (async function* () {
      const bytes = Buffer.from(text);
      for (let from = 0; from < bytes.length; from += pieceSize) yield bytes.subarray(from, from + pieceSize);
    })(),
  );

const exported = (catalog: SqliteCatalog): string =>
  [...catalog.entries.list('/', 'age')].map((entry) => `${toLine(entry)}\n`).join('');

const lines = (...values: object[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join('');

describe('lines of JSON', () => {
  it('are read in Pulp’s field names', async () => {
    const catalog = openSqliteCatalog(':memory:');
    expect(await load(catalog, lines(LINE))).toBe(1);
    expect(catalog.entries.find('/p/bear.rpm')).toEqual([
      {
        path: '/p/bear.rpm',
        importerId: 'a'.repeat(24),
        unitId: '0e2b…',
        unitTypeId: 'rpm',
        url: 'https://feed.example.com/bear.rpm',
        checksum: { algorithm: 'sha256', value: 'c'.repeat(64) },
        size: 5,
        revision: 3,
        data: { size: 5 },
        replaced: true,
      },
    ]);
  });

  it.each([
    ['Pulp’s first revision', { ...LINE, revision: 1 }, undefined],
    ['a later one of Pulp’s, which may be other content', { ...LINE, revision: 2 }, true],
    ['ours, of any revision', { ...LINE, _id: undefined, revision: 2 }, undefined],
    ['ours, marked as replaced', { ...LINE, _id: undefined, revision: 2, replaced: true }, true],
    ['Pulp’s, marked as not replaced', { ...LINE, replaced: false }, undefined],
  ])('show whether there was other content: %s', async (_, line, replaced) => {
    const catalog = openSqliteCatalog(':memory:');
    await load(catalog, lines(line));
    expect(catalog.entries.find('/p/bear.rpm')[0]?.replaced).toBe(replaced);
    expect(exported(catalog).includes('replaced')).toBe(replaced ?? false);
    const second = openSqliteCatalog(':memory:');
    await load(second, exported(catalog));
    expect(exported(second)).toBe(exported(catalog));
  });

  it('have paths without dot segments', async () => {
    const catalog = openSqliteCatalog(':memory:');
    await load(catalog, lines({ ...LINE, path: '/p/./a/../bear%7E.rpm' }));
    expect(catalog.entries.find('/p/bear%7E.rpm')).toHaveLength(1);
  });

  it('round-trip: exported entries load unchanged, in the same order of age', async () => {
    const first = openSqliteCatalog(':memory:');
    const bare = { ...LINE, path: '/é b', checksum: null, checksum_algorithm: undefined, data: {}, revision: 9 };
    await load(first, lines(LINE, bare, { ...LINE, revision: 2, size: 7 }, { ...LINE, path: '/a', prefix: '/' }));
    const second = openSqliteCatalog(':memory:');
    expect(await load(second, exported(first))).toBe(4);
    expect(exported(second)).toBe(exported(first));
    expect(second.entries.find('/p/bear.rpm').map(({ revision }) => revision)).toEqual([2, 3]);
    expect(await load(second, exported(first))).toBe(4);
    expect(exported(second)).toBe(exported(first));
  });

  it('replace the entry with the same path, importer and revision, and repeated ones count once', async () => {
    const catalog = openSqliteCatalog(':memory:');
    await load(catalog, lines(LINE, LINE));
    await load(catalog, lines({ ...LINE, url: 'https://other.example.com/' }));
    expect(catalog.entries.find('/p/bear.rpm').map(({ url }) => url)).toEqual(['https://other.example.com/']);
  });

  const faults: readonly (readonly [string, string, string])[] = [
    ['no JSON', '{"path":', 'line 2: not JSON, expected one object per line'],
    ['no object', '[]', 'line 2: expected an object'],
    ['an empty line', '', 'line 2: not JSON'],
    ['a relative path', JSON.stringify({ ...LINE, path: 'p' }), 'line 2: path: expected a path that begins with /'],
    [
      'no importer id',
      JSON.stringify({ ...LINE, importer_id: 'x' }),
      'line 2: importer_id: expected 24 hexadecimal digits',
    ],
    [
      'another scheme',
      JSON.stringify({ ...LINE, url: 'ftp://h/' }),
      'line 2: url: expected a URL of http, https or file',
    ],
    ['a short checksum', JSON.stringify({ ...LINE, checksum: 'ab' }), "line 2: 'ab' is not a valid sha256 checksum"],
    [
      'a checksum of an unknown algorithm',
      JSON.stringify({ ...LINE, checksum_algorithm: undefined }),
      'line 2: checksum_algorithm: required with checksum',
    ],
    [
      'a conflict with an earlier line',
      JSON.stringify({ ...LINE, url: 'https://other.example.com/' }),
      'line 2: conflicts with line 1: same path, importer_id and revision, other content',
    ],
  ];
  for (const [fault, line, message] of faults) {
    it(`load nothing if one has ${fault}`, async () => {
      const catalog = openSqliteCatalog(':memory:');
      await expect(load(catalog, `${JSON.stringify(LINE)}\n${line}\n`)).rejects.toThrow(`in.jsonl: ${message}`);
      expect(exported(catalog)).toBe('');
    });
  }

  it('that are bad are all listed, up to twenty', async () => {
    const catalog = openSqliteCatalog(':memory:');
    const failing = load(catalog, `x\n${lines(LINE)}${'x\n'.repeat(24)}`);
    await expect(failing).rejects.toThrow(/^nothing was loaded:\nin\.jsonl: line 1: .*\nin\.jsonl: line 3: /);
    await expect(load(catalog, 'x\n'.repeat(25))).rejects.toThrow(/line 20: .*\n… and 5 more$/);
  });

  it('are refused if they are nested too deep, with the place', async () => {
    const catalog = openSqliteCatalog(':memory:');
    const deep = JSON.stringify({ ...LINE, data: 0 }).replace('"data":0', `"data":{"a":${'['.repeat(63)}`);
    await expect(load(catalog, `${lines(LINE)}${deep}\n`)).rejects.toThrow(
      /^nothing was loaded:\nin\.jsonl: line 2: JSON: character \d+: more than 64 nested values$/,
    );
    expect(exported(catalog)).toBe('');
  });
});
