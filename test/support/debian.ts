import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Kept outside of the repository: one download a machine. */
const FOLDER = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'pulp-streamer-tests');

/** From where apt gets Debian 12. Several test files may need it at once: the first one makes it, the others wait. */
const MAKE = `[ -e "$1" ] || {
  root=$(mktemp -d)
  trap 'rm -rf "$root"' EXIT
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Codename: bookworm' 'Created-By: Packages' | head -n 1)
  debootstrap --variant=minbase bookworm "$root" "\${mirror:?apt has no source of bookworm}" >&2
  tar -C "$root" --exclude='./var/cache/apt/archives/*.deb' --exclude='./var/lib/apt/lists/*' -cf "$1.part" .
  mv "$1.part" "$1"
}`;

/**
 * The file system of the smallest Debian 12, as in the image `debian:12-slim`, made of Debian's
 * packages if necessary. That takes one or two minutes. `undefined` if it cannot be made.
 */
export const debianSystem = (): string | undefined => {
  const file = join(FOLDER, 'debian-12.tar');
  if (existsSync(file)) return file;
  mkdirSync(FOLDER, { recursive: true });
  const stdio = ['ignore', 'ignore', 'inherit'] as const;
  const made = spawnSync('flock', [`${file}.lock`, 'sh', '-ec', MAKE, 'sh', file], { stdio: [...stdio] });
  return made.status === 0 ? file : undefined;
};
