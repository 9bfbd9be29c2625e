// biome-ignore-all lint/suspicious/noTemplateCurlyInString: a placeholder is written like a JavaScript template
import { describe, expect, test } from 'vitest';
import { loadEnvironment, readTracked } from '../../../engine/environment/load.ts';
import { loadJsonPatch, partsFor, resolvePipeline } from '../../../engine/environment/resolve.ts';
import type { PipelineStep } from '../../../engine/pipeline/load.ts';
import type { HostFacts } from '../../../engine/sdk/index.ts';

const BASE = `apiVersion: joinery.dev/v1
kind: Pipeline
metadata: { name: made }
inputs:
  type: object
  properties:
    wait: { enum: [started, ready], default: started }
    name: { type: string }
    token: { type: string, writeOnly: true }
defaults: { timeout: 5m }
steps:
  - { id: a, uses: x, timeout: 30s, with: { one: 1, list: [1, 2] } }
  - { id: b, uses: x, needs: [] }
  - { id: c, uses: x, needs: [a, b] }
  - { id: d, uses: x }
`;

const environment = (body: string, name = 'made') =>
  loadEnvironment(
    name,
    `${name}.yaml`,
    `apiVersion: joinery.dev/v1\nkind: Environment\nmetadata: { name: ${name} }\n${body}`,
  );

async function resolved(bodies: string | string[], host?: HostFacts) {
  const environments = [bodies].flat().map((body, index) => environment(body, `env${index + 1}`));
  return resolvePipeline(
    readTracked('base.yaml', BASE),
    environments,
    await loadJsonPatch(environments),
    host && partsFor(host),
  ).pipeline;
}

const ordered = (steps: readonly PipelineStep[]): string =>
  steps.map(({ id, needs = ['?'] }) => `${id}(${needs.join(' ')})`).join(' ');
const stepsOf = async (bodies: string | string[]) => ordered((await resolved(bodies)).steps);

describe('an environment', () => {
  test('an environment without patches only adds the default needs', async () => {
    expect(await stepsOf('')).toBe('a() b() c(a b) d(c)');
  });

  test.each<[string, string, string]>([
    ['merges into a step', 'patches: [{ step: a, merge: { timeout: 1m } }]', 'a() b() c(a b) d(c)'],
    [
      'inserts after a step: its dependents also need the new one',
      'patches: [{ insert: { after: a, step: { id: n, uses: y } } }]',
      'a() n(a) b() c(a b n) d(c)',
    ],
    [
      'inserts before a step: the new one takes its needs',
      'patches: [{ insert: { before: c, step: { id: n, uses: y } } }]',
      'a() b() n(a b) c(n) d(c)',
    ],
    [
      'inserts at the start: the steps without needs need it',
      'patches: [{ insert: { at: start, step: { id: n, uses: y } } }]',
      'n() a(n) b(n) c(a b) d(c)',
    ],
    [
      'inserts at the end: it needs the steps without dependents',
      'patches: [{ insert: { at: end, step: { id: n, uses: y } } }]',
      'a() b() c(a b) d(c) n(d)',
    ],
    ['removes a step: its dependents inherit its needs', 'patches: [{ remove: c }]', 'a() b() d(a b)'],
    [
      'replaces a step, which keeps its id and its needs',
      'patches: [{ step: c, replace: { uses: y } }]',
      'a() b() c(a b) d(c)',
    ],
    ['replaces a step and its needs', 'patches: [{ step: c, replace: { uses: y, needs: [a] } }]', 'a() b() c(a) d(c)'],
    [
      'wraps a step',
      'patches: [{ step: c, wrap: { before: { id: m, uses: y }, after: { id: n, uses: y } } }]',
      'a() b() m(a b) c(m) n(c) d(c n)',
    ],
    [
      'applies a JSON patch (RFC 6902)',
      'patches: [{ jsonPatch: [{ op: move, from: /steps/2/needs/1, path: /steps/2/needs/0 }] }]',
      'a() b() c(b a) d(c)',
    ],
    [
      'applies each patch to the result of the one before',
      'patches: [{ insert: { after: c, step: { id: n, uses: y } } }, { insert: { after: n, step: { id: m, uses: y } } }]',
      'a() b() c(a b) n(c) m(n) d(c n m)',
    ],
  ])('an environment %s', async (_, body, expected) => {
    expect(await stepsOf(body)).toBe(expected);
  });

  test('a merge follows RFC 7386: mappings merge, lists replace, null removes', async () => {
    const { steps, defaults } = await resolved([
      'patches:\n  - { step: a, merge: { timeout: null, with: { one: null, two: 2, list: [3] } } }\n  - { merge: { defaults: { retry: { attempts: 3 } } } }',
    ]);
    expect(steps[0]).toEqual({ id: 'a', uses: 'x', needs: [], with: { two: 2, list: [3] } });
    expect(defaults).toEqual({ timeout: '5m', retry: { attempts: 3 } });
  });

  test('an environment changes the defaults of inputs', async () => {
    const { inputs } = await resolved(['inputs: { wait: ready, name: "${{ host.name }}" }', 'inputs: { name: null }']);
    expect(inputs.properties).toEqual({
      wait: { enum: ['started', 'ready'], default: 'ready' },
      name: { type: 'string' },
      token: { type: 'string', writeOnly: true },
    });
  });

  test.each<[string, string, HostFacts, string]>([
    ['a name', 'name: w1', { name: 'w1', privileged: true, architecture: 'amd64', distribution: 'debian' }, 'ready'],
    [
      'another name',
      'name: w1',
      { name: 'w10', privileged: true, architecture: 'amd64', distribution: 'debian' },
      'started',
    ],
    [
      'a pattern',
      'name: "gpu-*-a"',
      { name: 'gpu-17-a', privileged: true, architecture: 'amd64', distribution: 'debian' },
      'ready',
    ],
    [
      'a pattern that does not fit',
      'name: "gpu-*-a"',
      { name: 'gpu-a', privileged: true, architecture: 'amd64', distribution: 'debian' },
      'started',
    ],
    [
      'one of a list',
      'name: [w1, "w2*"]',
      { name: 'w22', privileged: true, architecture: 'amd64', distribution: 'debian' },
      'ready',
    ],
    [
      'a fact',
      'privileged: false',
      { name: 'w1', privileged: false, architecture: 'amd64', distribution: 'debian' },
      'ready',
    ],
    [
      'two of which one does not hold',
      'name: w1, privileged: false',
      { name: 'w1', privileged: true, architecture: 'amd64', distribution: 'debian' },
      'started',
    ],
  ])('an environment has parts for some machines alone, chosen by %s', async (_, match, host, wait) => {
    const { inputs } = await resolved(`hosts:\n  - match: { ${match} }\n    inputs: { wait: ready }`, host);
    expect(inputs.properties.wait?.default).toBe(wait);
  });

  test('parts for some machines are applied after the rest, with their patches', async () => {
    const body =
      'inputs: { wait: ready }\npatches: [{ step: a, merge: { timeout: 1m } }]\nhosts:\n  - match: { name: w1 }\n    inputs: { wait: started }\n    patches: [{ step: a, merge: { timeout: 2m } }]';
    const { inputs, steps } = await resolved(body, {
      name: 'w1',
      privileged: true,
      architecture: 'amd64',
      distribution: 'debian',
    });
    expect([inputs.properties.wait?.default, steps[0]?.timeout]).toEqual(['started', '2m']);
  });

  test('later environments are applied after earlier ones, and each is recorded by name and digest', async () => {
    const { steps, environments } = await resolved([
      'patches: [{ step: a, merge: { timeout: 1m } }]',
      'patches: [{ step: a, merge: { timeout: 2m } }]',
    ]);
    expect(steps[0]?.timeout).toBe('2m');
    expect(environments).toEqual([
      { name: 'env1', digest: expect.stringMatching(/^[0-9a-f]{64}$/) },
      { name: 'env2', digest: expect.stringMatching(/^[0-9a-f]{64}$/) },
    ]);
  });
});
