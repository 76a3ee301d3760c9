import config from './jest.config.js';

// Programs that tests start run on it, too.
process.env.NODE_OPTIONS = `${process.env.NODE_OPTIONS ?? ''} --import=${new URL('test/support/rxjs8.ts', import.meta.url)}`;

/**
 * The tests of `pipelines/` on RxJS 8's last pre-release: `npm run test:rxjs8`. Separate, since one
 * process loads one release.
 */
export default {
  ...config,
  roots: ['<rootDir>/test/pipelines'],
  moduleNameMapper: { '^rxjs(/testing)?$': 'rxjs8$1' },
  globals: { RXJS_8: true },
};
