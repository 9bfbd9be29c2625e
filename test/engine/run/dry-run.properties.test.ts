// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders look like JavaScript templates
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Change } from '../../../engine/host/changes/index.ts';
import type { Host } from '../../../engine/host/host.ts';
import type { Query } from '../../../engine/host/query.ts';
import { realHost } from '../../../engine/host/real.ts';
import { recordingHost } from '../../../engine/host/recording.ts';
import { kubeAccess } from '../../../engine/kube/access.ts';
import { loadPipeline } from '../../../engine/pipeline/load.ts';
import { planOf } from '../../../engine/pipeline/plan.ts';
import { Registry } from '../../../engine/pipeline/registry.ts';
import { type RunEvent, type RunResult, run } from '../../../engine/run/run.ts';
import type { ApiAnswer, ApiRequest } from '../../../engine/sdk/api.ts';
import {
  type AnyPhase,
  apiCalls,
  controls,
  type Effect,
  type KubeObject,
  type Ports,
  type Schema,
  writes,
} from '../../../engine/sdk/index.ts';
import { differences, snapshot } from '../../helpers/snapshot.ts';

const PLACES = 3;
const STARTED: Record<string, boolean> = { s0: true, s1: false, s2: false };
const OBJECTS = ['there-0', 'there-1', 'there-2'];
const IDENTITY = { server: 'https://cluster', ca: '' };

const input = {
  type: 'object',
  additionalProperties: false,
  properties: {
    text: { type: 'string', default: '-' },
    way: { type: 'integer', default: 0 },
    name: { type: 'string' },
  },
} as const satisfies Schema;
const output = {
  type: 'object',
  required: ['text', 'size'],
  properties: { text: { type: 'string' }, size: { type: 'integer' } },
} as const satisfies Schema;
type Written = { text: string; way: number; name?: string };

const registry = new Registry();
const phase = (name: string, effects: Effect[], act: (ports: Ports, values: Written) => Promise<string>) =>
  registry.add({
    name,
    summary: name,
    input,
    output,
    effects,
    irreversible: 'it is a test',
    run: async (ports, values) => {
      const text = await act(ports, values as Written);
      return { text, size: text.length };
    },
  } satisfies AnyPhase);

for (let at = 0; at < PLACES; at++) {
  const path = `/etc/f${at}`;
  // The old content is a part of the new content, so another order of the writes has another result.
  phase(`file-${at}`, [writes(path, undefined, 'a text')], async ({ files }, { text, way }) => {
    const before = (await files.read(path))?.toString() ?? 'none';
    await files.write(path, `${before}+${text}`.slice(-60), [0o644, 0o600, 0o755][way % 3] ?? 0);
    return before;
  });
  phase(
    `folder-${at}`,
    [writes(`/etc/d${at}`, 0o755, 'a folder'), writes(`/etc/d${at}/*`, 0o640, 'what is in it')],
    async ({ files }, { text, way }) => {
      await files.directory(`/etc/d${at}`, 0o755);
      if (way % 2 === 0) await files.write(`/etc/d${at}/n${way}`, text, 0o640);
      else await files.remove(`/etc/d${at}/n${way - 1}`);
      return ((await files.list(`/etc/d${at}`)) ?? []).join();
    },
  );
  phase(`link-${at}`, [writes(`/etc/l${at}`, undefined, 'a link')], async ({ files }, { way }) => {
    if (way % 3 === 0) await files.remove(`/etc/l${at}`);
    else await files.link(`/etc/l${at}`, `f${way % PLACES}`);
    return (await files.stat(`/etc/l${at}`))?.target ?? 'none';
  });
  phase(
    `service-${at}`,
    [controls(`s${at}`, ['start', 'stop', 'reload'], 'a service')],
    async ({ services }, { way }) => {
      const action = (['start', 'stop', 'reload'] as const)[way % 3] ?? 'start';
      await services[action](`s${at}`);
      return String((await services.status(`s${at}`)).active);
    },
  );
  phase(
    `object-${at}`,
    [apiCalls(['get', 'create', 'patch'], 'configmaps', 'an object')],
    async ({ kube }, { text, way, name = '' }) => {
      const api = kube.as(IDENTITY);
      const ref = { apiVersion: 'v1', resource: 'configmaps', namespace: 'default', name: name || `there-${at}` };
      const named = way % 4 < 2 ? ref : { ...ref, name: `new-${at}` };
      const isPatched = way % 2 === 0 && (name !== '' || (await api.get(named)) !== undefined);
      if (isPatched) await api.patch(named, { data: { text } });
      else await api.create(named, { metadata: { name: named.name }, data: { text } } as KubeObject);
      const found = await api.get<KubeObject & { data?: { text: string } }>({ ...ref, name: `new-${at}` });
      return found === undefined ? 'absent' : (found.data?.text ?? 'there').slice(-40);
    },
  );
}

/**
 * A machine with real files below a scratch folder, and with services and an API in memory. With `dryRun=All`, the API
 * stores nothing.
 */
async function machine(root: string) {
  const real = await realHost(root, { access: kubeAccess });
  const active = new Map(Object.entries(STARTED));
  const objects = new Map(OBJECTS.map((name) => [name, {} as object]));
  const sendTo = ({ method, path, query, body, ref }: ApiRequest): ApiAnswer => {
    const answer = (status: number, content: object): ApiAnswer => ({ status, body: content, clockSkewMs: undefined });
    if (path === '/version') return answer(200, { major: '1', minor: '31' });
    const name = ref?.name ?? '';
    const object = objects.get(name);
    if (method === 'POST' && object !== undefined) return answer(409, {});
    if (method !== 'POST' && object === undefined) return answer(404, { message: 'not found' });
    const next = { metadata: { name }, ...object, ...(method === 'GET' ? {} : body) };
    if (method !== 'GET' && query.dryRun !== 'All') objects.set(name, next);
    return answer(method === 'POST' ? 201 : 200, next);
  };
  const host: Host = {
    ...real,
    read: (async (query: Query, signal: AbortSignal) => {
      if (query.kind !== 'service') return real.read(query, signal);
      const isActive = active.get(query.name) ?? false;
      return { manager: 'systemd', exists: true, enabled: true, active: isActive, failed: false };
    }) as Host['read'],
    apply: async (change: Change, signal) => {
      if (change.kind !== 'service') return real.apply(change, signal);
      if (change.action !== 'reload') active.set(change.name, change.action === 'start');
    },
    send: async (request) => sendTo(request),
  };
  const state = () => ({ tree: snapshot(root), active: { ...Object.fromEntries(active) }, objects: [...objects] });
  return { host, state, close: () => real.close() };
}

interface StepSpec {
  kind: 'file' | 'folder' | 'link' | 'service' | 'object';
  at: number;
  way: number;
  needs: number[];
  condition: number;
  reads: number;
  mayFail: boolean;
}

const specs: fc.Arbitrary<StepSpec[]> = fc.array(
  fc.record({
    kind: fc.constantFrom('file', 'file', 'folder', 'link', 'service', 'object'),
    at: fc.nat(PLACES - 1),
    way: fc.nat(8),
    needs: fc.array(fc.nat(20), { maxLength: 3 }),
    condition: fc.nat(9),
    reads: fc.nat(20),
    mayFail: fc.boolean(),
  }),
  { minLength: 1, maxLength: 12 },
);

/** A pipeline of these steps. Steps that write the same path are in order, because Joinery requires that. */
function pipelineOf(steps: readonly StepSpec[]): { text: string; needs: Map<string, string[]> } {
  const last = new Map<string, number>();
  const needs = new Map<string, string[]>();
  const lines = steps.map(({ kind, at, way, needs: wanted, condition, reads, mayFail }, index) => {
    const before = last.get(`${kind}-${at}`);
    last.set(`${kind}-${at}`, index);
    const of = [...wanted.map((need) => need % Math.max(1, index)), ...(before === undefined ? [] : [before])];
    const ids = index === 0 ? [] : [...new Set(of)].map((need) => `x${need}`);
    needs.set(`x${index}`, ids);
    const read = ids[reads % Math.max(1, ids.length)];
    const text =
      read === undefined ? `t${index}` : `\${{ "t${index}<" + steps.${read}.?outputs.text.orValue("skipped") }}`;
    const conditions = [
      'inputs.level > 1',
      'host.name != "w1" || inputs.level == 0',
      read === undefined ? 'true' : `steps.${read}.?outputs.size.orValue(0) % 2 == 0`,
      read === undefined ? 'inputs.level < 3' : `steps.${read}.status == "succeeded"`,
    ];
    const name = kind === 'object' && mayFail ? `, name: absent-${index}` : ''; // a patch of this object fails
    return [
      `- id: x${index}`,
      `  uses: ${kind}-${at}`,
      `  needs: [${ids.join(', ')}]`,
      ...(condition < conditions.length ? [`  if: '${conditions[condition]}'`] : []),
      ...(mayFail ? ['  allowFailure: true'] : []),
      `  with: { way: ${way}, text: '${text}'${name} }`,
    ].join('\n');
  });
  const head = [
    'apiVersion: joinery.dev/v1',
    'kind: Pipeline',
    'metadata: { name: made }',
    'inputs: { type: object, properties: { level: { type: integer, default: 1 } } }',
    'steps:',
  ];
  return { text: [...head, ...lines].join('\n'), needs };
}

/** The recorded changes, without the mark that a dry run sent them. */
const recorded = ({ steps }: RunResult) =>
  steps.map(({ id, status, changes, outputs }) => ({
    id,
    status,
    outputs,
    changes: changes.map((change) => {
      if (change.kind !== 'api') return change;
      const { verb, resource, name } = change;
      return { verb, resource, name };
    }),
  }));

/** Pairs of steps: the second needs the first, but changed something before the first had ended. */
function outOfOrder(events: readonly RunEvent[], needs: ReadonlyMap<string, readonly string[]>): string[] {
  const ended = new Set<string>();
  return events.flatMap((event) => {
    if (event.type === 'step.ended') ended.add(event.step);
    if (event.type !== 'step.change') return [];
    return (needs.get(event.step) ?? []).flatMap((need) => (ended.has(need) ? [] : [`${event.step} before ${need}`]));
  });
}

test('a dry run records the changes of the run in their order, and changes nothing', {
  timeout: 120_000,
}, async () => {
  const seen = { steps: 0, changes: 0, skipped: 0, allowed: 0 };
  await fc.assert(
    fc.asyncProperty(specs, fc.integer({ min: 0, max: 3 }), async (steps, level) => {
      const root = await mkdtemp(join(tmpdir(), 'joinery-dry-'));
      await mkdir(join(root, 'etc/d0'), { recursive: true });
      await writeFile(join(root, 'etc/f0'), 'old');
      await symlink('f0', join(root, 'etc/l0'));
      const { host, state, close } = await machine(root);
      try {
        const { text, needs } = pipelineOf(steps);
        const plan = planOf(
          loadPipeline('made.yaml', text),
          registry,
          { level },
          { name: 'w1', privileged: true, architecture: 'amd64', distribution: 'debian' },
        );
        const before = state();
        const events: { dry: RunEvent[]; real: RunEvent[] } = { dry: [], real: [] };
        const dry = await run({ plan, host: recordingHost(host), onEvent: (event) => events.dry.push(event) });
        expect(differences(before.tree, snapshot(root))).toEqual([]);
        expect(state()).toEqual(before);

        const real = await run({ plan, host, onEvent: (event) => events.real.push(event) });
        expect(real.error).toBeUndefined();
        expect(recorded(dry)).toEqual(recorded(real));
        expect([outOfOrder(events.dry, needs), outOfOrder(events.real, needs)]).toEqual([[], []]);

        for (const step of real.steps) {
          seen.steps++;
          seen.changes += step.changes.length;
          if (step.status === 'skipped') seen.skipped++;
          if (step.status === 'failed-allowed') seen.allowed++;
        }
      } finally {
        await close();
        await rm(root, { recursive: true });
      }
    }),
    { numRuns: 200, interruptAfterTimeLimit: 90_000, markInterruptAsFailure: true },
  );
  for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(20);
});
