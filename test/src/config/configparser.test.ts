import { afterAll, describe, expect } from '@jest/globals';
import fc from 'fast-check';
import { DESCRIPTOR, type Dialect, PULP } from '../../../src/config/dialects.ts';
import { parseIni } from '../../../src/config/ini.ts';
import { type PythonParser, type PythonSections, startPythonParser } from '../../support/configparser.ts';
import { itNeeding } from '../../support/repositories.ts';

let python: PythonParser | undefined;
afterAll(() => python?.close());

const ours = (text: string, dialect: Dialect): PythonSections =>
  Object.fromEntries(
    [...parseIni(text, 'f.conf', dialect).sections].map(([name, values]) => [
      name,
      Object.fromEntries([...values].map(([key, { value, problem }]) => [key, problem === undefined ? value : null])),
    ]),
  );

/**
 * Without letters that Python's `%` operator takes for a conversion: those are refused here,
 * whatever Python makes of them.
 */
const WORDS = ['k', 'Zy', 'Öq', '/', '\\', '"', "'", '#', 'b;', '=', ':', '[', ']', ' ', '\u2028', '{', '\t'];
const NAMES = ['kz', 'q.y', 'Yq', '__proto__', 'constructor', 'k[]', 'z;', '"k"', 'true', '\\.'];
const REFERENCES = [...NAMES, 'KZ', 'nowhere'].map((name) => `%(${name})s`);

const name = fc.constantFrom(...NAMES);
const piece = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...WORDS) },
  { weight: 2, arbitrary: fc.constantFrom(...REFERENCES) },
  { weight: 1, arbitrary: fc.constantFrom('%%k', '%!', '%(kz', '%%(kz)s') },
);
// Here the two Pythons differ, and ours is the older one: empty lines within a value, `""`,
// comments behind values. ini.test.ts has them.
const text = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join('').replaceAll(/\s;/g, ';').trim());
const first = text.filter((value) => value !== '""');
const further = text.filter((value) => value !== '' && !/^[#;]/.test(value));
const line = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .tuple(name, fc.constantFrom(':', '=', ' = ', ': '), first, fc.array(further, { maxLength: 2 }))
      .map(([key, separator, value, more]) =>
        [`${key}${separator}${value}`, ...more.map((one) => `  ${one}`)].join('\n'),
      ),
  },
  {
    weight: 2,
    arbitrary: fc
      .oneof(
        name.filter((one) => !one.includes(']')),
        fc.constant('DEFAULT'),
      )
      .map((one) => `[${one}]`),
  },
  { weight: 1, arbitrary: fc.constantFrom('', '# %', '; x: 1', '  ') },
);
const file = fc.array(line, { maxLength: 16 }).map((lines) => ['[kz]', ...lines, ''].join('\n'));

describe('as Python itself reads', () => {
  itNeeding(['python3'])('server.conf and streamer.conf: SafeConfigParser', async () => {
    python ??= startPythonParser();
    const { read } = python;
    await fc.assert(
      fc.asyncProperty(file, async (content) => expect(ours(content, PULP)).toEqual(await read(content, 'safe'))),
      { numRuns: 1000 },
    );
  });

  itNeeding(['python3'])('references, as deep as Python follows them', async () => {
    python ??= startPythonParser();
    for (const depth of [9, 10, 11, 12]) {
      const links = Array.from({ length: depth }, (_, index) => `k${index}: %(k${index + 1})s`);
      const content = ['[a]', ...links, `k${depth}: end`, ''].join('\n');
      expect(ours(content, PULP)).toEqual(await python.read(content, 'safe'));
      expect(ours(content, DESCRIPTOR)).toEqual(await python.read(content, 'lenient'));
    }
  });

  itNeeding(['python3'])('descriptors: ConfigParser', async () => {
    python ??= startPythonParser();
    const { read } = python;
    await fc.assert(
      fc.asyncProperty(file, async (content) =>
        expect(ours(content, DESCRIPTOR)).toEqual(await read(content, 'lenient')),
      ),
      { numRuns: 1000 },
    );
  });
});
