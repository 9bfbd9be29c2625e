import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { controlPlaneFacts } from '../../../engine/node/control-plane/release-facts.ts';
import { holds, minorOf, type ReleaseFact, releaseFacts } from '../../../engine/node/index.ts';
import { PROJECT, sourcesBelow } from '../../helpers/sources.ts';

const ofControlPlanes: ReleaseFact[] = Object.values(controlPlaneFacts);
const ofJoins = Object.values(releaseFacts).filter((fact: ReleaseFact) => !ofControlPlanes.includes(fact));
const releasesOf = ({ since, until }: ReleaseFact) =>
  until === undefined ? `${since} and later` : `${since} to ${until}`;

describe('facts about releases', () => {
  test.each([
    ['v1.33.9', false],
    ['v1.34.0-alpha.1', true],
    ['v1.34.0', true],
    ['v1.100.0', true],
    ['1.36.2', true],
    ['hello', false],
    [undefined, false],
  ])('for version %s, a fact that holds from 1.34 on is %s', (version, expected) => {
    expect(holds('socketFileByDefault', version)).toBe(expected);
  });

  test.each([
    ['v1.20.15', false],
    ['v1.21.0', true],
    ['v1.34.9', true],
    ['v1.35.0-rc.0', false],
    [undefined, false],
  ])('for version %s, a fact that holds from 1.21 to 1.34 is %s', (version, expected) => {
    expect(holds('pauseImageFlag', version)).toBe(expected);
  });

  test.each([
    ['of every join', ofJoins],
    ['of control planes', ofControlPlanes],
  ])('facts %s are listed in the order of the releases', (_, facts) => {
    const minors = facts.map(({ since }) => minorOf(`${since}.`));
    expect(minors).toEqual([...minors].sort((a, b) => a - b));
  });

  test.each([
    ['of every join', 0, ofJoins],
    ['of control planes', 1, ofControlPlanes],
  ])('docs/skew.md shows every fact %s with its releases and its source', (_, index, facts) => {
    const text = readFileSync(join(PROJECT, 'docs/skew.md'), 'utf8');
    const tables = text.split('| releases | of the | fact | source |\n|---|---|---|---|\n');
    expect(tables[index + 1]?.split('\n\n')[0]?.trimEnd().split('\n')).toEqual(
      facts.map((fact) => `| ${releasesOf(fact)} | ${fact.of} | ${fact.what} | ${fact.source} |`),
    );
  });

  test('no other file for Kubernetes compares a minor version with a number', () => {
    const compares = (text: string) => /\bminor\w*(\([^)]*\))? ?[<>]=? ?\d|SINCE_MINOR/.test(text);
    const found = sourcesBelow('engine/node', 'engine/kube', 'engine/kubeadm', 'engine/tokens', 'phases').filter(
      ({ text }) => compares(text),
    );
    expect(found.map(({ path }) => path)).toEqual([]);
    expect(compares('if (minor >= 24) return;')).toBe(true);
    expect(compares('minorOf(version) < 18')).toBe(true);
  });
});
