import { describe, expect, test } from 'vitest';
import { readTerms, TERMS } from './glossary.ts';
import { findings, findingText, longLines, projectFiles, retiredNames, retiredPhrases } from './language.ts';
import { PHRASES } from './phrases.ts';
import { proseOfCode } from './prose.ts';

const foundIn = (text: string, path = 'engine/example.ts'): string[] =>
  retiredPhrases({ path, text }).map(({ line, found }) => `${line}: ${found}`);

describe('retired phrases', () => {
  test.each(PHRASES)('$offender is found in a comment, a string, a template and a document', ({ offender }) => {
    const oneLine = offender.replace(/\n/g, ' ');
    for (const text of [`/** ${offender} */`, `// ${oneLine}`, `x('${oneLine}');`, `x(\`a \${b} ${offender}\`);`])
      expect(foundIn(text), text).toHaveLength(1);
    expect(foundIn(`- ${offender}.`, 'docs/example.md')).toHaveLength(1);
    expect(foundIn(`# ${oneLine}`, 'pipelines/example.yaml')).toHaveLength(1);
  });

  test('retired phrases are found across the lines of a comment, with the line where they begin', () => {
    expect(foundIn('const a = 1;\n/**\n * A run is taken\n * back.\n */\n')).toEqual(['3: taken back']);
    expect(foundIn('// a run is taken\n// back\n')).toEqual(['1: taken back']);
  });

  test('retired phrases are not found in code', () => {
    expect(foundIn('const told = nobody(hole) / mend;\nif (a < b) forget(/told/);')).toEqual([]);
  });

  test('retired phrases are not found in a string of one word, which is a value', () => {
    expect(foundIn("const by = 'nobody';")).toEqual([]);
    expect(foundIn("const by = 'nobody else';")).toEqual(['1: nobody']);
  });

  test('retired phrases are not found in sentences in plain English', () => {
    for (const text of ['There is no cluster.', 'It is no longer needed.', 'Undo the run.', 'a wholehearted amendment'])
      expect(foundIn(`// ${text}`), text).toEqual([]);
  });
});

test('the prose of a source keeps strings inside placeholders, and hides the code around them', () => {
  const template = `\`x \${f('y') ?? { z: \`q\` }} w\``;
  const text = `const a = ${template};\n// c\nconst r = /[/'"\`]/g;\nconst b = 'd';`;
  const prose = proseOfCode(text);
  expect(prose).toHaveLength(text.length);
  expect(prose.match(/[^\0\s]+/g)).toEqual(['x', 'y', 'q', 'w', 'c', 'd']);
});

describe('retired names', () => {
  const namesIn = (text: string): string[] => retiredNames({ path: 'a.ts', text }).map(({ found }) => found);
  test('retired names are found in types, and in exported functions and values', () => {
    for (const retired of TERMS.flatMap(({ replaces }) => replaces)) {
      expect(namesIn(`interface ${retired} {}`)).toEqual([retired]);
      expect(namesIn(`export async function ${retired}() {}`)).toEqual([retired]);
    }
    expect(namesIn('export const stepTold = 1;\nclass ToldStep {}').sort()).toEqual(['ToldStep', 'stepTold']);
  });
  test('retired names are allowed for local values, and are words, not letters', () => {
    expect(namesIn('const told = 1;\nexport const madeira = 1;\nexport type Wholesale = 1;')).toEqual([]);
  });
});

describe('the glossary', () => {
  test('the glossary has each term once, with a meaning', () => {
    const terms = TERMS.map(({ term }) => term);
    expect(terms.length).toBeGreaterThan(50);
    expect(terms.filter((term, index) => terms.indexOf(term) !== index)).toEqual([]);
    expect(TERMS.filter(({ meaning }) => meaning.length < 20)).toEqual([]);
  });
  test('the glossary is read from its tables', () => {
    expect(
      readTerms('| term | meaning | replaces |\n|---|---|---|\n| scope | What is readable. | `sight`, `Sights` |\n'),
    ).toEqual([{ term: 'scope', meaning: 'What is readable.', replaces: ['sight', 'Sights'] }]);
  });
});

test('a line of 121 columns is found, unless it is a row of a table, one literal, text of a template, or JSON', () => {
  const long = 'x'.repeat(121);
  const linesOf = (path: string, text: string) => longLines({ path, text }).map(({ line }) => line);
  expect(linesOf('a.ts', `ok\n${long}\n${long.slice(1)}`)).toEqual([2]);
  expect(linesOf('a.ts', `  text: '${long}',\n  f('${long}');`)).toEqual([2]);
  expect(linesOf('a.ts', `return `.concat('`', '\n', long, '\n`;'))).toEqual([]);
  expect(linesOf('a.md', `${long}\n|${long}`)).toEqual([1]);
  expect(linesOf('a.json', long)).toEqual([]);
});

test('the project has no retired phrase, no retired name and no line that is too long', () => {
  expect(findings(projectFiles()).map(findingText)).toEqual([]);
});
