import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/packed/*.test.ts'],
    fileParallelism: false, // each file builds dist/
    setupFiles: ['test/setup.ts'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
