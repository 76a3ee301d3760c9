import { globSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const find = (pattern: string): string[] => globSync(pattern, { cwd: ROOT, exclude: ['**/node_modules'] });
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const isThere = (path: string): boolean => statSync(join(ROOT, path), { throwIfNoEntry: false }) !== undefined;

const PAGES = ['*.md', 'docs/**/*.md', 'examples/**/*.md'].flatMap(find);

/** The text without fenced blocks: their brackets and number signs are not Markdown. */
const prose = (text: string): string => text.replace(/^( *)```[\s\S]*?^\1```$/gm, '');

/** The anchors of the headings, as GitHub makes them. */
const anchorsOf = (text: string): Set<string> => {
  const anchors = new Set<string>();
  for (const [, heading = ''] of prose(text).matchAll(/^#{1,6} (.+)$/gm)) {
    const words = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const slug = words.replace(/[^\p{L}\p{N}\p{M}_\- ]/gu, '').replaceAll(' ', '-');
    let anchor = slug;
    for (let number = 1; anchors.has(anchor); number++) anchor = `${slug}-${number}`;
    anchors.add(anchor);
  }
  return anchors;
};

interface Link {
  readonly page: string;
  readonly path: string;
  readonly anchor: string | undefined;
}

/**
 * The relative links of a page: `[text](path#anchor)`, and the `src`, `srcset` and `href` of its
 * HTML.
 */
const linksOf = (page: string, text: string): Link[] => {
  const withoutCode = prose(text).replace(/`[^`\n]*`/g, '');
  const markdown = [...withoutCode.matchAll(/\]\(([^)\s]+)(?: "[^"]*")?\)/g)];
  const html = [...withoutCode.matchAll(/\b(?:src|srcset|href)="([^"\s]+)"/g)];
  return [...markdown, ...html].flatMap(([, target = '']) => {
    if (/^[a-z][a-z+.-]*:/i.test(target)) return [];
    const [path = '', anchor] = target.split('#');
    return [{ page, path: path === '' ? page : normalize(join(dirname(page), path)), anchor }];
  });
};

const isBroken = ({ path, anchor }: Link): boolean =>
  !isThere(path) || (anchor !== undefined && path.endsWith('.md') && !anchorsOf(read(path)).has(anchor));

const links = PAGES.flatMap((page) => linksOf(page, read(page)));

describe('relative links in the documentation', () => {
  it('lead to a file, and to a heading of it', () => {
    expect(links.length).toBeGreaterThan(50);
    expect(links.filter(isBroken)).toEqual([]);
  });

  it('reach every page of docs from its index', () => {
    const reached = new Set<string>(['docs/README.md']);
    for (const page of reached) for (const link of links) if (link.page === page) reached.add(link.path);
    expect(find('docs/**/*.md').filter((page) => !reached.has(page))).toEqual([]);
  });

  it('are found, and found broken, in each of their forms', () => {
    const text = [
      '# A `heading`: with *marks*',
      '[a](docs/README.md) [b](../outside.md "title") [c](#a-heading-with-marks) [d](#elsewhere) [e](https://example.com/)',
      '<picture><source srcset="docs/no.svg"><img src="LICENSE"></picture> `[f](no.md)`',
      '```',
      '[g](no.md)',
      '```',
    ].join('\n');
    const found = linksOf('README.md', text);
    expect(found.map(({ path, anchor }) => [path, anchor])).toEqual([
      ['docs/README.md', undefined],
      ['../outside.md', undefined],
      ['README.md', 'a-heading-with-marks'],
      ['README.md', 'elsewhere'],
      ['docs/no.svg', undefined],
      ['LICENSE', undefined],
    ]);
    expect([...anchorsOf(`${text}\n# A heading with marks`)]).toEqual([
      'a-heading-with-marks',
      'a-heading-with-marks-1',
    ]);
    const broken = found.filter((link) => !link.anchor && isBroken(link)).map(({ path }) => path);
    expect(broken).toEqual(['../outside.md', 'docs/no.svg']);
  });
});

describe('tests that docs/explanation/reliability.md quotes', () => {
  it('exist', () => {
    const [, table = ''] = read('docs/explanation/reliability.md').split('## Defects and the tests that find them');
    const quoted = [...table.matchAll(/`([\w/.-]+)`: ((?:"[^"]+"(?:, )?)+)/g)].flatMap(([, file = '', names = '']) =>
      [...names.matchAll(/"([^"…]+)/g)].map(([, name = '']) => ({ file: `test/${file}.test.ts`, name })),
    );
    expect(quoted.length).toBeGreaterThan(15);
    expect(quoted.filter(({ file, name }) => !isThere(file) || !read(file).includes(name.trim()))).toEqual([]);
  });
});

describe('paths of documentation that code and configurations name', () => {
  const FILES = [
    'src/**/*.ts',
    'pipelines/**/*.ts',
    'test/**/*.ts',
    'bench/**/*.ts',
    'examples/**/*.*',
    '*.md',
    '*.json',
    '.ci/*',
  ];

  it('exist', () => {
    const named = FILES.flatMap(find)
      .filter((file) => file !== 'test/docs-links.test.ts' && !file.endsWith('.rpm') && !file.endsWith('.gz'))
      .flatMap((file) =>
        [...read(file).matchAll(/(?<![\w/.-])docs\/[\w/-]+\.(?:md|svg)/g)].map(([path]) => ({ file, path })),
      );
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter(({ path }) => !isThere(path))).toEqual([]);
  });
});
