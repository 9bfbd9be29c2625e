/** Pipelines that the build has read already: the same steps, and the same places where something is wrong. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { validatorsSource } from '../../../bin/build/precompile.ts';
import { digestOf } from '../../../engine/documents/digest.ts';
import { checkPipeline } from '../../../engine/pipeline/check.ts';
import { loadPipeline } from '../../../engine/pipeline/load.ts';
import { catalog, registry } from '../../helpers/app.ts';
import { joinErrorOf } from '../../helpers/errors.ts';
import { PROJECT } from '../../helpers/sources.ts';

const built = vi.hoisted(() => new Map<string, () => unknown>());
vi.mock('../../../engine/documents/precompiled.ts', () => ({
  precompiledValidators: new Map(),
  precompiledPipelines: built,
}));

test('the build contains every pipeline that ships, by the digest of its text', () => {
  const source = validatorsSource(PROJECT);
  for (const name of catalog.names('pipelines')) {
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
