/** The examples of docs/pipelines.md are complete pipelines: each is valid, and runs as it is pasted. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { loadPipeline } from '../../engine/pipeline/load.ts';
import { planOf } from '../../engine/pipeline/plan.ts';
import type { Ask } from '../../engine/run/approval.ts';
import { run } from '../../engine/run/run.ts';
import { memoryHost } from '../../engine/testing/memory-host.ts';
import { registry } from '../helpers/app.ts';

const text = readFileSync(new URL('../../docs/pipelines.md', import.meta.url), 'utf8');
const examples = [...text.matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(([, yaml = '']) => ({
  name: /name: ([a-z-]+)/.exec(yaml)?.[1] ?? '',
  yaml,
}));
const CLUSTER = {
  endpoint: '10.0.0.1:6443',
  token: 'abcdef.0123456789abcdef',
  discoveryTokenCaCertHash: [`sha256:${'0'.repeat(64)}`],
};
/** The inputs that an example requires. */
const INPUTS: Record<string, Record<string, unknown>> = {
  greet: { who: 'alice' },
  'typed-inputs': { who: 'alice' },
  'find-cluster': CLUSTER,
};
/** The files that each example writes. An example without files only reads. */
const FILES: Record<string, Record<string, string>> = {
  greet: { '/etc/greeting': 'Hello alice\n' },
  'typed-inputs': { '/etc/greeting': 'alice on w1' },
  order: { '/etc/versions': 'kubelet v1.31.0' },
  conditions: { '/etc/gpus': 'none', '/etc/no-gpu': 'no GPU' },
  patience: { '/etc/first': '1', '/etc/second': '2' },
  'optional-step': { '/etc/nice-to-have': 'failed-allowed' },
  'change-window': { '/etc/window': 'waiting', '/etc/approval': 'approved by alice' },
  expressions: { '/etc/tags': 'blue!' },
  report: { '/etc/greeting': 'hello', '/etc/report': 'succeeded  changed: true' },
  outputs: { '/etc/greeting': 'hello' },
};

const planFor = (name: string, yaml: string) =>
  planOf(loadPipeline('docs/pipelines.md', yaml), registry, INPUTS[name] ?? {}, memoryHost({}).facts);

const machine = () =>
  memoryHost({
    directories: ['/etc'],
    programs: ['kubelet', 'uname', 'false'],
    outputs: {
      'kubelet --version': { stdout: 'Kubernetes v1.31.0\n' },
      'uname -r': { stdout: '6.1.0\n' },
      false: { exitCode: 1 },
    },
    wait: (_, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  });
const ask: Ask = async () => ({ decision: 'approved', by: 'alice', reason: '', via: 'terminal' });

describe('docs/pipelines.md', () => {
  test('docs/pipelines.md names each example once', () => {
    const names = examples.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(expect.arrayContaining(Object.keys(FILES)));
    expect(names.length).toBeGreaterThan(10);
  });
  test.each(examples)('the example $name is a valid pipeline', ({ name, yaml }) => {
    expect(planFor(name, yaml).steps.length).toBeGreaterThan(0);
  });
  test.each(examples.filter(({ name }) => name in FILES))(
    'the example $name runs as pasted',
    async ({ name, yaml }) => {
      const result = await run({ plan: planFor(name, yaml), host: machine(), ask });
      const changes = result.steps.flatMap((step) => step.changes ?? []);
      expect(result.status).toBe('succeeded');
      expect(
        Object.fromEntries(changes.map((change) => (change.kind === 'file' ? [change.path, change.content] : []))),
      ).toEqual(FILES[name]);
    },
  );
  test('the example outputs returns whether the file has changed', async () => {
    const { yaml = '' } = examples.find(({ name }) => name === 'outputs') ?? {};
    const result = await run({ plan: planFor('outputs', yaml), host: machine() });
    expect(result.outputs).toEqual({ changed: true });
  });
});
