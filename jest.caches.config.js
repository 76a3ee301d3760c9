import config from './jest.config.js';

/**
 * The caches suite: `npm run test:caches`. Separate from the other tests because it starts every cache,
 * and because its length can be chosen.
 */
export default { ...config, testPathIgnorePatterns: ['/node_modules/'], roots: ['<rootDir>/test/caches'] };
