import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const folder = new URL('../../../engine/sdk/', import.meta.url);
const sourceOf = (file: string): string => readFileSync(new URL(file, folder), 'utf8');

interface Export {
  name: string;
  file: string;
}

/** The exports of a file that forwards others, with the file that each comes from. */
function forwarded(file: string): Export[] {
  const text = sourceOf(file);
  const named = [...text.matchAll(/^export (?:type )?\{([^}]*)\} from '\.\/([^']+)';/gms)].flatMap(
    ([, names = '', from = '']) =>
      names
        .split(',')
        .map((name) => name.trim().replace(/^type /, ''))
        .filter(Boolean)
        .map((name) => ({ name, file: from })),
  );
  const whole = [...text.matchAll(/^export (?:type )?\* from '\.\/([^']+)';/gm)].flatMap(([, from = '']) => [
    ...declared(from),
    ...forwarded(from),
  ]);
  return [...named, ...whole];
}

const DECLARATION = /^export (?:async )?(?:const|function|class|interface|type) (\w+)/gm;
const declared = (file: string): Export[] =>
  [...sourceOf(file).matchAll(DECLARATION)].map(([, name = '']) => ({ name, file }));

/** The docstring in front of the declaration of `name`, which a file may forward from another. */
function docstringOf({ name, file }: Export): string {
  const origin = forwarded(file).find((item) => item.name === name);
  if (origin !== undefined) return docstringOf(origin);
  const text = sourceOf(file);
  const start = text.search(new RegExp(`^export (?:async )?(?:const|function|class|interface|type) ${name}\\b`, 'm'));
  expect(start, `${name} in ${file}`).toBeGreaterThan(-1);
  const before = text.slice(0, start).trimEnd();
  return before.endsWith('*/') ? before.slice(before.lastIndexOf('/**')) : '';
}

const exported = forwarded('index.ts');

test('the SDK exports a manageable number of names, each once', () => {
  const names = exported.map(({ name }) => name);
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  expect(names.length).toBeGreaterThan(50);
  expect(names).toEqual(expect.arrayContaining(['definePhase', 'Ports', 'Secret', 'fail', 'Schema', 'writes']));
});

test('every export of the SDK has a docstring that says whether it is stable or experimental', () => {
  const marks = exported.map((item) => ({
    name: item.name,
    marks: docstringOf(item).match(/@(?:stable|experimental)\b/g)?.length ?? 0,
  }));
  expect(marks.filter((item) => item.marks !== 1)).toEqual([]);
});

test('the main exports of the SDK have an example', () => {
  for (const name of ['definePhase', 'definePlugin', 'Ports', 'writes', 'Secret', 'fail', 'JoinError', 'Schema']) {
    const item = exported.find((candidate) => candidate.name === name);
    expect(item && docstringOf(item), name).toContain('@example');
  }
});
