/** The property tests with a fresh seed, where `npm test` always has the same. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const SUITES_OF_THEIR_OWN = ['test/real/', 'test/crash/', 'test/packed/', 'test/fuzz/'];

/** Whether all properties hold. A failure prints the case, which becomes an example of its property. */
export function propertiesHold(seed: number): boolean {
  const { status } = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...propertyTests()], {
    stdio: 'inherit',
    env: { ...process.env, PROPERTY_SEED: String(seed) },
  });
  return status === 0;
}

const propertyTests = (): string[] =>
  readdirSync('test', { recursive: true, encoding: 'utf8' })
    .map((name) => join('test', name))
    .filter((name) => name.endsWith('.test.ts') && !SUITES_OF_THEIR_OWN.some((folder) => name.startsWith(folder)))
    .filter((name) => readFileSync(name, 'utf8').includes("from 'fast-check'"));
