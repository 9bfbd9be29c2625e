/** Pipelines that the build has read already: the same steps, and the same places where something is wrong. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { validatorSources } from '../../../bin/build/precompile.ts';
import { DEFAULT_PIPELINE } from '../../../bin/pipelines.ts';
import { digestOf } from '../../../engine/documents/digest.ts';
import { checkPipeline } from '../../../engine/pipeline/check.ts';
import { loadPipeline } from '../../../engine/pipeline/load.ts';
import { planOf } from '../../../engine/pipeline/plan.ts';
import { catalog, registry } from '../../helpers/app.ts';
import { joinErrorOf } from '../../helpers/errors.ts';
import { PROJECT } from '../../helpers/sources.ts';

const built = vi.hoisted(() => new Map<string, () => unknown>());
const builtValidators = vi.hoisted(() => new Map<string, () => ValidateFunction>());
vi.mock('../../../engine/documents/precompiled.ts', () => ({
  precompiledValidators: builtValidators,
  precompiledPipelines: built,
}));

test('the build contains every pipeline that extends no other, by the digest of its text', async () => {
  const { main: source } = await validatorSources(PROJECT);
  for (const name of catalog.names('pipelines').filter((each) => !catalog.extends(each))) {
    const text = readFileSync(join(PROJECT, `pipelines/${name}.yaml`), 'utf8');
    expect(source).toContain(`[${JSON.stringify(digestOf(text))}, () => (${JSON.stringify(parse(text))})]`);
  }
});

test('problems of a precompiled pipeline have the same places', async () => {
  const text =
    'apiVersion: joinery.dev/v1\nkind: Pipeline\nmetadata: { name: p }\nsteps:\n  - { id: a, uses: preflihgt }\n';
  const wrong = () => joinErrorOf(() => checkPipeline(loadPipeline('p.yaml', text), registry));
  const parsed = await wrong();
  const read = vi.fn(() => parse(text) as unknown);
  built.set(digestOf(text), read);
  const again = await wrong();
  expect(read).toHaveBeenCalledOnce();
  expect(again.facts).toEqual(parsed.facts);
  expect(again.message).toContain('p.yaml:5:20: there is no phase preflihgt');
});

test('the plan of a join compiles no JSON Schema: the build has compiled them all', async () => {
  const source = (await validatorSources(PROJECT)).main.replaceAll('export const', 'exported.');
  const exported: { precompiledValidators?: typeof builtValidators; precompiledPipelines?: typeof built } = {};
  new Function('exported', 'require', source.replaceAll('exported. ', 'exported.'))(
    exported,
    createRequire(import.meta.url),
  );
  for (const [text, validator] of exported.precompiledValidators ?? []) builtValidators.set(text, validator);
  for (const [digest, pipeline] of exported.precompiledPipelines ?? []) built.set(digest, pipeline);
  const compile = vi.spyOn(Ajv2020.prototype, 'compile');
  const values = {
    endpoint: '192.0.2.1:6443',
    token: 'abcdef.0123456789abcdef',
    discoveryTokenCaCertHash: [`sha256:${'0'.repeat(64)}`],
  };
  planOf(catalog.open(DEFAULT_PIPELINE), registry, values, {
    name: 'w1',
    privileged: true,
    architecture: 'amd64',
    distribution: 'debian',
  });
  expect(compile).not.toHaveBeenCalled();
});
