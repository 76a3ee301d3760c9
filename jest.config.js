export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  // A suite of its own, since it takes minutes: npm run test:faults.
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/faults/'],
  testMatch: ['**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': '<rootDir>/test/support/strip-types.cjs' },
  // A net for what hangs, not an expectation: machines may be busy.
  testTimeout: 120_000,
  maxWorkers: 2,
  reporters: ['default', '<rootDir>/test/support/tell-skipped.js'],
};
