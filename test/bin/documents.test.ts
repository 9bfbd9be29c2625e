/** Each kind of document that `--output json` prints has a schema, and matches it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sourcesBelow } from '../helpers/sources.ts';
import { cli, project } from './cli.ts';
import { documentKinds, documentOf } from './documents.ts';

let folder: string;
let configuration: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'documents-'));
  configuration = join(folder, 'join.yaml');
  const migrated = await cli(['config', 'migrate', '--old-config', V1BETA3, '--new-config', configuration]);
  expect(migrated.code, migrated.stderr).toBe(0);
});
afterAll(() => rm(folder, { recursive: true }));

const V1BETA3 = join(project, 'test/bin/v1beta3.yaml');

describe('--output json', () => {
  test('every kind of document that --output json prints has a schema', () => {
    const kinds = sourcesBelow('bin').flatMap(({ text }) =>
      [...text.matchAll(/apiVersion: 'joinery\.dev\/v1',\s*kind: '(\w+)'/g)].map(([, kind = '']) => kind),
    );
    expect(kinds.length).toBeGreaterThan(9);
    expect(kinds.filter((kind) => !documentKinds.includes(kind))).toEqual([]);
  });

  test.each<[Parameters<typeof documentOf>[0], () => string[]]>([
    ['PhaseList', () => ['phase']],
    ['PipelineList', () => ['pipeline', 'list']],
    ['PipelineValidation', () => ['pipeline', 'validate']],
    ['PipelineExplanation', () => ['pipeline', 'explain', '--env', 'edge']],
    ['PluginList', () => ['plugin', 'list', '--plugin', join(project, 'dist/plugins/host-prep')]],
    ['ConfigValidation', () => ['config', 'validate', configuration]],
    ['ConfigMigration', () => ['config', 'migrate', '--old-config', V1BETA3, '--new-config', join(folder, 'new.yaml')]],
  ])('--output json prints a %s that matches its schema', async (kind, words) => {
    const { code, stdout, stderr } = await cli([...words(), '--output', 'json']);
    expect(code, stderr).toBe(0);
    documentOf(kind, stdout);
  });
});
