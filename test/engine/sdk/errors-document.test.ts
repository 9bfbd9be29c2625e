import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { EXIT, errorCodes } from '../../../engine/sdk/errors.ts';
import { sourcesBelow } from '../../helpers/sources.ts';
import { sampleErrors } from './error-samples.ts';

const docs = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8');

/** Codes that phases and commands raise as their own. */
const sources = sourcesBelow('bin', 'engine', 'phases', 'plugins');
const ownCodes = [
  ...new Set(
    sources.flatMap(({ text }) =>
      [...text.matchAll(/^(?! ?[/*]).*\bcode: '(E_\w+)'/gm)].map((match) => match[1] ?? ''),
    ),
  ),
];

interface Section {
  code: string;
  exitCode: number;
  retried: boolean;
  when: string;
  remedy: string;
}
const sections: Section[] = docs
  .split(/^## /m)
  .slice(1)
  .map((text) => {
    const [code = '', occurrence = '', remedy = '', ...more] = text
      .split('\n\n')
      .map((part) => part.trim().replaceAll('\n', ' '))
      .filter(Boolean);
    const [, exitCode, retried, when] = /^Exit code (\d+)(, retried)?\. (.+)$/.exec(occurrence) ?? [];
    expect(more, code).toEqual([]);
    return { code, exitCode: Number(exitCode), retried: retried !== undefined, when: when ?? '', remedy };
  });

describe('docs/errors.md', () => {
  test('docs/errors.md has a section for every error code, and no other sections', () => {
    expect(sections.map(({ code }) => code)).toEqual([...errorCodes, ...ownCodes].sort());
  });

  test('docs/errors.md says of each error when it occurs and what to do, in sentences', () => {
    for (const { code, when, remedy } of sections)
      for (const sentence of [when, remedy]) expect(sentence, code).toMatch(/^[A-Z`].{15,}\.$/);
    const words = sections.flatMap(({ when }) => when);
    expect(new Set(words).size).toBe(words.length);
  });

  test('docs/errors.md has the exit code of each error, and whether it is retried', () => {
    const documented = sections.filter(({ code }) => !ownCodes.includes(code));
    expect(documented.map(({ code, exitCode, retried }) => [code, exitCode, retried])).toEqual(
      sampleErrors.map(({ code, exitCode, transient }) => [code, exitCode, transient]).sort(),
    );
  });

  test('docs/errors.md has every exit code in its table', () => {
    const rows = [...docs.matchAll(/^\| (\d+) \| .+ \|$/gm)].map(([, exitCode]) => Number(exitCode));
    expect(rows).toEqual([0, ...Object.values(EXIT)]);
  });
});
