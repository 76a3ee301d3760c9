/** Gives the tests Mocha in place of Jest, and shorter histories. Released memory is overwritten, as in all tests. */
import { registerHooks } from 'node:module';

const INSTEAD: Readonly<Record<string, string>> = {
  '@jest/globals': new URL('globals.ts', import.meta.url).href,
  'fast-check': new URL('fast-check.ts', import.meta.url).href,
};

process.env.POISON_LENT_BUFFERS = '1';

registerHooks({
  resolve: (name, context, next) => {
    const instead = context.parentURL?.includes('/scripts/mutate/') ? undefined : INSTEAD[name];
    return instead === undefined
      ? next(name, context)
      : { url: instead, format: 'module-typescript', shortCircuit: true };
  },
});
