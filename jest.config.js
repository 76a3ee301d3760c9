import { fileURLToPath } from 'node:url';

// Memory that is released is overwritten, also in the daemons that tests start: whoever reads it too late fails.
process.env.POISON_LENT_BUFFERS = '1';
// Node's cache of compiled code, for the programs that tests start: it halves the start of a process.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('node_modules/.cache/node-compile-cache', import.meta.url));

export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  // Separate suites, since they take minutes or start every cache: npm run test:faults, test:caches.
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/faults/', '<rootDir>/test/caches/'],
  testMatch: ['**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': '<rootDir>/test/support/strip-types.cjs' },
  // Only against tests that hang: machines may be busy.
  testTimeout: 300_000,
  // As many as the cores of a small machine. Three are faster, but then the processes that tests start run late.
  maxWorkers: 2,
  setupFilesAfterEnv: ['<rootDir>/test/support/equal-bytes.ts', '<rootDir>/test/support/equal-errors.ts'],
  reporters: ['default', '<rootDir>/test/support/report-skipped.js'],
};
