import config from './jest.config.js';

/**
 * The fault suite: `npm run test:faults`. Separate from the other tests because it takes minutes.
 */
export default {
  ...config,
  testPathIgnorePatterns: ['/node_modules/'],
  roots: ['<rootDir>/test/faults'],
  // These tests compute more than they wait.
  maxWorkers: 2,
};
