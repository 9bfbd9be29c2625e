import { defineConfig } from 'vitest/config';

const OTHER_SUITES = ['test/real/**', 'test/crash/**', 'test/packed/**', 'node_modules/**'];
/**
 * Tests that change or measure their process, or look at what it has loaded, have a process of their own. All others
 * share three, so that each module is loaded three times and not once for each file.
 */
const ALONE = [
  'test/{bench,canary,fuzz}/**/*.test.ts',
  'test/attack/{inputs-without-end,inspector,journal-limits,open-files,output}.test.ts',
  'test/attack/{parsed-only,sandbox-ends,timers,trust,umask}.test.ts',
  'test/engine/documents/precompiled.test.ts',
  'test/engine/net/{connections,protobuf,roots}.test.ts',
  'test/engine/testing/kills{,-control-plane}.test.ts',
  'test/plugins/sandbox/machine.test.ts',
];

/** The table of faults needs a fifth of the time of all tests, so `npm test` leaves it to `npm run test:faults`. */
const FAULTS = ['test/faults/**/*.test.ts'];

export default defineConfig({
  test: {
    setupFiles: ['test/setup.ts'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    maxWorkers: 3, // on two cores: some tests wait for processes and clocks
    projects: [
      { extends: true, test: { name: 'alone', include: ALONE } },
      { extends: true, test: { name: 'faults', include: FAULTS } },
      {
        extends: true,
        test: {
          name: 'shared',
          isolate: false,
          include: ['test/**/*.test.ts'],
          exclude: [...OTHER_SUITES, ...ALONE, ...FAULTS],
        },
      },
    ],
  },
});
