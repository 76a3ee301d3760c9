// Keeps a copy and kills itself with SIGKILL in place of the step-th call that changes a file; ends
// if there are fewer.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { contentOfNumber, headersOfNumber } from './numbered.ts';

const [folder = '', entry = '', number = '', step = ''] = process.argv.slice(2);

let calls = 0;
let counting = false;
const counted = <T extends object>(module: T, names: readonly (keyof T)[]) => {
  for (const name of names) {
    const original = module[name] as (...args: unknown[]) => unknown;
    const wrapped = (...args: unknown[]) => {
      if (counting && ++calls === Number(step)) process.kill(process.pid, 'SIGKILL');
      return original(...args);
    };
    // Properties that promisify needs.
    Object.defineProperties(wrapped, Object.getOwnPropertyDescriptors(original));
    Object.assign(module, { [name]: wrapped });
  }
};
counted(fs, ['open', 'writev', 'fsync', 'close']);
counted(fs.promises, ['mkdir', 'rename', 'unlink', 'rmdir', 'utimes']);
syncBuiltinESMExports();

const { createSaveStore } = await import('../../../src/saves/copies/store.ts');
const store = createSaveStore({
  folder,
  onError: (error) => {
    throw error;
  },
});
counting = true;
const content = contentOfNumber(Number(number));
const keeping = store.keep(JSON.parse(entry), content.length, headersOfNumber(Number(number)));
keeping?.write(content);
keeping?.commit();
await store.close();
