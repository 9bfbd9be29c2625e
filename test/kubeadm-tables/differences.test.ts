import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { casesOf } from './table.ts';

const documented = readFileSync('docs/differences-from-kubeadm.md', 'utf8');
const tables = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.json'));

test.each(tables)('docs/differences-from-kubeadm.md has the reason of every difference in %s', (file) => {
  const reasons = casesOf(file.replace('.json', '')).flatMap(({ differs }) => differs ?? []);
  expect(reasons.filter((reason) => !documented.includes(`| ${reason} |`))).toEqual([]);
});
