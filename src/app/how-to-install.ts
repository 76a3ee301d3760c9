import { packageRoot } from './version.ts';

/** In a package of the system, and in a global installation of npm: `PREFIX/lib/…`. */
const GLOBAL = /^(.*)\/lib\/(?:node_modules\/)?pulp-streamer$/;

/**
 * The command that installs optional packages where this one finds them. In a global folder it must
 * be npm's own way to do so: `npm install --prefix /usr/lib` would remove all others there, npm itself too.
 */
export const howToInstall = (packages: readonly string[], root: string = packageRoot): string => {
  const prefix = GLOBAL.exec(root)?.[1];
  return ['npm install', ...(prefix === undefined ? [] : ['--global --prefix', prefix || '/']), ...packages].join(' ');
};
