import { registerHooks } from 'node:module';

/** Preloaded with `--import`: prints the URLs of all modules that a process loads when it ends. */
const loaded: string[] = [];
registerHooks({
  load: (url, context, next) => {
    loaded.push(url);
    return next(url, context);
  },
});
process.on('exit', () => process.stderr.write(`${JSON.stringify(loaded)}\n`));
