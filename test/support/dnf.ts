import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Start, succeeded } from './processes.ts';
import { builtFile, builtFiles } from './repositories.ts';

/** A dnf that uses only one repository and one folder. */
export const makeDnf = (start: Start, home: string, baseUrl: string, proxy = '') => {
  const config = join(home, 'dnf.conf');
  mkdirSync(home, { recursive: true });
  writeFileSync(config, '[main]\n');
  const options = [
    `--config=${config}`,
    `--installroot=${join(home, 'root')}`,
    `--repofrompath=zoo,${baseUrl}`,
    '--repo=zoo',
    '--releasever=1',
    '--assumeyes',
    '--nogpgcheck',
    '--setopt=reposdir=/dev/null',
    '--setopt=varsdir=/dev/null',
    `--setopt=proxy=${proxy}`,
    '--setopt=keepcache=1',
    '--disableplugin=*',
    '--enableplugin=download,reposync',
  ];
  const cache = join(home, 'root/var/cache/dnf');
  return {
    run: (...args: string[]) => succeeded(start('dnf', [...options, ...args])),
    /** The downloaded packages in its cache. */
    cached: () => builtFiles(cache).filter(({ path }) => path.endsWith('.rpm')),
    forget: () => rmSync(cache, { recursive: true }),
    installed: (path: string) => builtFile(join(home, 'root'), path),
  };
};
