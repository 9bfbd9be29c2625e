import { expect, test, vi } from 'vitest';
import { table, testFaults } from './table.ts';

// Everything in this process that is written is written through it.
vi.mock('node:fs/promises', async (original) => (await import('./failing-fs.ts')).failing(await original()));
vi.mock('../../engine/host/file-calls.ts', async (original) =>
  (await import('./failing-fs.ts')).failing(await original()),
);
vi.setConfig({ maxConcurrency: 24, testTimeout: 60_000 });

testFaults(['trust', 'clock', 'disk', 'machine', 'dry', 'kernel']);

test('the table has at least 60 faults, each with its own title', () => {
  expect(table.length).toBeGreaterThanOrEqual(60);
  expect(new Set(table.map(({ title }) => title)).size).toBe(table.length);
});
