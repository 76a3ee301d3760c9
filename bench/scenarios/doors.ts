import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { packageRoot } from '../../src/app/version.ts';
import type { Scenario } from '../bench.ts';
import { type Contender, hold } from '../contest.ts';
import { pinned } from '../machine.ts';
import { toItsEnd } from './start.ts';

/** What a program pays that imports the package: each door, beside Node that runs nothing and RxJS alone. */
export const doors: Scenario = async ({ sizes, cores, main, folder }) => {
  const built = main.startsWith(join(packageRoot, 'dist'));
  const door = (path: string) => pathToFileURL(join(packageRoot, built ? `dist/${path}.js` : `${path}.ts`)).href;
  const contender = (id: string, name: string, code: string, ours = true): Contender => ({
    ...{ id, name, ours },
    run: async () => {
      let cpu = 0;
      for (let left = sizes.starts; left > 0; left -= 1)
        cpu += await toItsEnd(pinned(cores?.contender, [process.execPath, '--input-type=module', '-e', code]));
      return (1000 * cpu) / sizes.starts;
    },
  });
  const opening = (stateDir: string) => `
    import { createStreamer } from ${JSON.stringify(door('src/index'))};
    await using streamer = await createStreamer({ stateDir: ${JSON.stringify(stateDir)}, dispatch: 'none' });`;
  return [
    await hold({
      title: 'Importing',
      unit: 'CPU ms',
      rounds: sizes.rounds,
      contenders: [
        contender('node', 'Node, running nothing', '0', false),
        contender('rxjs', 'rxjs', `import ${JSON.stringify(import.meta.resolve('rxjs'))};`, false),
        contender('door-pipelines', 'pulp-streamer/pipelines', `import ${JSON.stringify(door('pipelines/index'))};`),
        contender('door-package', 'pulp-streamer', `import ${JSON.stringify(door('src/index'))};`),
        contender('door-opened', 'and opening a streamer', opening(folder('doors'))),
      ],
    }),
  ];
};
