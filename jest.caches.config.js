import config from './jest.config.js';

/** The caches suite: `npm run test:caches`. Separate from the other tests because it starts every cache, and can be run at any length. */
export default { ...config, testPathIgnorePatterns: ['/node_modules/'], roots: ['<rootDir>/test/caches'] };
