import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

interface GoProgram {
  readonly name: string;
  /** The folder of its module. */
  readonly folder: string;
  /** The files that say which version it is. */
  readonly files: readonly string[];
  /** Arguments of `go build`: flags, and the package. */
  readonly what: readonly string[];
}

/**
 * The binary of a program in Go, built from its sources if necessary. That takes minutes; the binary
 * is kept outside the repository. `undefined` if it cannot be built.
 */
export const goBuild = ({ name, folder: cwd, files, what }: GoProgram): string | undefined => {
  const sources = files.map((file) => readFileSync(join(cwd, file)));
  const version = createHash('sha256').update(Buffer.concat(sources)).digest('hex').slice(0, 16);
  const folder = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'pulp-streamer-tests');
  const binary = join(folder, `${name}-${version}`);
  if (existsSync(binary)) return binary;
  const go = ['go', '/usr/local/go/bin/go'].find((name) => spawnSync(name, ['version']).status === 0);
  if (!go) return undefined;
  mkdirSync(folder, { recursive: true });
  // Several test files may need it at once: the first one builds, the others wait.
  const build = `test -e "$2" || { go="$1"; out="$2"; shift 2; "$go" build -o "$out.part" "$@" && mv "$out.part" "$out"; }`;
  const built = spawnSync('flock', [`${binary}.lock`, 'sh', '-c', build, 'sh', go, binary, ...what], {
    cwd,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return built.status === 0 ? binary : undefined;
};
