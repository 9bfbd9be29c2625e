// The half of the table that comes over the wire, in a file of its own: two run at once.
import { vi } from 'vitest';
import { testFaults } from './table.ts';

vi.mock('node:fs/promises', async (original) => (await import('./failing-fs.ts')).failing(await original()));
vi.mock('../../engine/host/file-calls.ts', async (original) =>
  (await import('./failing-fs.ts')).failing(await original()),
);
vi.setConfig({ maxConcurrency: 24, testTimeout: 60_000 });

testFaults(['network', 'answers']);
