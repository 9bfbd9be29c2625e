import { defineConfig } from 'vitest/config';

const OTHER_SUITES = ['test/real/**', 'test/crash/**', 'test/packed/**', 'node_modules/**'];
/**
 * Tests that neither change their process nor look at what it has loaded share two processes, so that each module is
 * loaded twice and not once for each file. All others have a process of their own.
 */
const SHARED = [
  'test/engine/{environment,expressions,journal,kube,kubeadm,node,pipeline,pki,plugins,run,sdk,tokens}/**/*.test.ts',
  'test/{bin,docs,phases}/**/*.test.ts',
];

export default defineConfig({
  test: {
    setupFiles: ['test/setup.ts'],
    testTimeout: 20_000,
    maxWorkers: 2,
    projects: [
      { extends: true, test: { name: 'shared', isolate: false, include: SHARED } },
      {
        extends: true,
        test: { name: 'alone', include: ['test/**/*.test.ts'], exclude: [...OTHER_SUITES, ...SHARED] },
      },
    ],
  },
});
