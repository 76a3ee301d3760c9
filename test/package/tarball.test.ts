import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { temporaryFolders } from '../support/folder.ts';

const folder = temporaryFolders();

const ROOT = new URL('../..', import.meta.url).pathname;

/** The files of the package of npm; what `npm run build` makes may be missing. */
const packed = (): ReadonlySet<string> => {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const found: unknown = JSON.parse(
    execFileSync('npm', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
  );
  // An array of packages, or in newer versions of npm an object of them.
  const [{ files }] = Object.values(found as object) as [{ files: readonly { path: string }[] }];
  return new Set(files.map(({ path }) => path));
};

const textOf = (file: string): string =>
  readFileSync(join(ROOT, file), 'utf8')
    .replace(/^( *)```[\s\S]*?^\1```$/gm, '')
    .replace(/`[^`\n]*`/g, '');

describe('the package of npm', () => {
  const files = packed();

  it('has every file that its pages link to', () => {
    const pages = [...files].filter((file) => file.endsWith('.md'));
    const links = pages.flatMap((page) =>
      [...textOf(page).matchAll(/(?:\]\(|\b(?:src|srcset|href)=")([^)"\s#]+)/g)]
        .map(([, target = '']) => target)
        .filter((target) => !/^[a-z][a-z+.-]*:/i.test(target))
        .map((target) => normalize(join(dirname(page), target))),
    );
    expect(links.length).toBeGreaterThan(50);
    const isThere = (path: string) =>
      files.has(path) || [...files].some((file) => file.startsWith(`${path.replace(/\/$/, '')}/`));
    expect([...new Set(links)].filter((path) => !isThere(path))).toEqual([]);
  });

  it('names no place of its own that is not known to exist', () => {
    const about = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    for (const field of ['repository', 'bugs', 'homepage']) expect(about).not.toHaveProperty(field);
  });

  it('has its command, which runs the sources in a clone', () => {
    const { bin, version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    expect([...files]).toContain(bin['pulp-streamer']);
    // npx remembers commands: an empty memory, as in a new clone.
    const env = { ...process.env, npm_config_cache: folder() };
    const run = (...words: string[]) =>
      execFileSync('npx', ['--no-install', 'pulp-streamer', ...words], { cwd: ROOT, env, encoding: 'utf8' });
    expect(run('--version')).toBe(`${version}\n`);
    expect(run('completion', 'bash')).toBe(readFileSync(join(ROOT, 'src/cli/completion.bash'), 'utf8'));
  });
});
