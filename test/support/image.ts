import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Podman } from './podman.ts';

const ROOT = new URL('../..', import.meta.url).pathname;
const FILE = join(ROOT, 'examples/containers/Containerfile');

/**
 * The commands with which the first stage of the Containerfile makes the files of the second one,
 * in folders of this machine. Its other commands, `npm ci` among them, are those of a clone.
 */
const firstStage = (files: string): string => {
  const [, script = ''] = /^RUN (npm run build [\s\S]*?)\n\n/m.exec(readFileSync(FILE, 'utf8')) ?? [];
  return script
    .replace('node_modules/.bin/node', `'${process.execPath}'`)
    .replaceAll(/(?<=\s)\/(tree|image)\b/g, (path) => files + path);
};

/** Builds `localhost/pulp-streamer`: the last stage of the Containerfile, on a base that is there. */
export const buildImage = (podman: Pick<Podman, 'must'>, folder: string, base: string): void => {
  const files = join(folder, 'files');
  // One at a time with the other tests of packages, which build dist/ as well.
  const words = ['package.json', 'sh', '-ec', `mkdir '${files}'; ${firstStage(files)}`];
  const { status, stderr } = spawnSync('flock', words, { cwd: ROOT, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  const context = join(folder, 'context');
  for (const one of [context, join(files, 'context')]) mkdirSync(one);
  spawnSync('mv', [join(files, 'image'), join(files, 'context/image')]);
  podman.must(
    ...['build', '--isolation', 'chroot', '--ulimit', 'nofile=4096:4096', '--format', 'docker', '--file', FILE],
    ...['--build-context', `build=${join(files, 'context')}`, '--build-arg', `BASE=${base}`],
    ...['--tag', 'localhost/pulp-streamer', context],
  );
};
