import config from './jest.config.js';

/** The suite of caches: `npm run test:caches`. Apart from the other tests because each run of it starts every cache. */
export default { ...config, testPathIgnorePatterns: ['/node_modules/'], roots: ['<rootDir>/test/caches'] };
