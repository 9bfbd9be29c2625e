/** docs/architecture.md: the files that a run passes, in order, and the rooms. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { importsOf, PROJECT } from '../helpers/sources.ts';

const text = readFileSync(join(PROJECT, 'docs/architecture.md'), 'utf8');

interface Row {
  number: number;
  file: string;
  reachedFrom: number | undefined;
}
const rowsOf = (table: string): Row[] =>
  [...table.matchAll(/^\| (\d+) \| `([^`]+)` \| (\d*) ?\|/gm)].map(([, number, file = '', from]) => ({
    number: Number(number),
    file,
    reachedFrom: from === '' ? undefined : Number(from),
  }));
const importedBy = (file: string): string[] =>
  importsOf({ path: file, text: readFileSync(join(PROJECT, file), 'utf8') });

function brokenRows(rows: readonly Row[]): string[] {
  return rows.flatMap(({ number, file, reachedFrom }) => {
    if (!existsSync(join(PROJECT, file))) return [`${file} does not exist`];
    const origin = rows.find((row) => row.number === reachedFrom);
    if (reachedFrom === undefined) return [];
    if (origin === undefined || reachedFrom >= number) return [`row ${number} comes before row ${reachedFrom}`];
    return importedBy(origin.file).includes(file) ? [] : [`${origin.file} does not import ${file}`];
  });
}

test('docs/architecture.md names the files that a run passes, and each is imported by the file that it names', () => {
  const rows = rowsOf(text);
  expect(rows.map(({ number }) => number)).toEqual(rows.map((_, index) => index + 1));
  expect(rows.length).toBeGreaterThan(20);
  expect(rows.filter(({ reachedFrom }) => reachedFrom === undefined).map(({ file }) => file)).toEqual([
    'bin/commands/run.ts',
    'engine/host/real.ts',
  ]);
  expect(importedBy('bin/compose.ts')).toContain('engine/host/real.ts');
  expect(brokenRows(rows)).toEqual([]);
});

test('a row of docs/architecture.md is wrong if its file is missing, not imported or out of order', () => {
  const rows = rowsOf('| 1 | `bin/command.ts` | |\n| 2 | `bin/setup.js` | 1 |\n| 3 | `bin/none.ts` | 1 |\n');
  const early = { number: 1, file: 'bin/command.ts', reachedFrom: 2 };
  expect(brokenRows([...rows, early])).toEqual([
    'bin/command.ts does not import bin/setup.js',
    'bin/none.ts does not exist',
    'row 1 comes before row 2',
  ]);
});

test('docs/architecture.md has one line for every folder of engine/ and bin/', () => {
  const rooms = ['engine', 'bin'].flatMap((top) =>
    readdirSync(join(PROJECT, top), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => `${top}/${name}`),
  );
  const named = [...text.matchAll(/^\| `((?:engine|bin)\/[^`]+)` \| .+ \|$/gm)].map(([, room]) => room);
  expect(named.sort()).toEqual(rooms.sort());
});

test('every file and folder that docs/architecture.md names exists', () => {
  const paths = [...text.matchAll(/`((?:bin|engine|phases|plugins|test|schemas)\/[^`<]+)`/g)].map(
    ([, path = '']) => path,
  );
  expect(paths.filter((path) => !existsSync(join(PROJECT, path)))).toEqual([]);
});
