import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Journal } from '../../../engine/journal/journal.ts';
import type { Plan } from '../../../engine/pipeline/plan.ts';
import type { PlannedStep } from '../../../engine/pipeline/planned-step.ts';
import { type RunEvent, run } from '../../../engine/run/run.ts';
import { fail, isSecret, type Ports, Secret, writes } from '../../../engine/sdk/index.ts';
import { memoryHost } from '../../../engine/testing/memory-host.ts';
import { runsOnDisk, START } from '../../helpers/journals.ts';
import { planOfSteps, type TestStep } from '../../helpers/plans.ts';

const ETC = [writes('/etc/*', 0o644, 'x')];
const BROKEN = fail('E_FILE', { path: '/x', what: 'no space' });
const write =
  (name: string) =>
  ({ files }: Ports): Promise<void> =>
    files.write(`/etc/${name}`, name, 0o644);
const output = (step: string, name: string): PlannedStep['with'] => ({
  kind: 'map',
  entries: [[name, { kind: 'placeholder', expression: { kind: 'output', step, name } }]],
});
const SECRET = { type: 'object', properties: { key: { type: 'string', writeOnly: true } } } as const;

/** A machine on which runs start and resume, as if in one process after the other. */
async function machine() {
  const host = memoryHost({ directories: ['/etc'] });
  const { root, runs } = await runsOnDisk();
  let id: string | undefined;
  /** Runs the steps, and returns those that ran. */
  const process = async (...steps: TestStep[]) => {
    const ran: string[] = [];
    const events: RunEvent[] = [];
    const watched = steps.map((step) => ({
      ...step,
      run: (ports: Ports, input: unknown) => {
        ran.push(step.id);
        return step.run(ports, input);
      },
    }));
    const journal = id === undefined ? runs.begin(START) : await runs.open(id);
    if (id !== undefined) await journal.resumed({});
    id = journal.id;
    const plan: Plan = planOfSteps(...watched);
    const result = await run({ plan, host, journal, onEvent: (event) => events.push(event) });
    return { result, ran, kept: events.flatMap((event) => (event.type === 'step.kept' ? [event.step] : [])), journal };
  };
  const history = async () => runs.history(id ?? '');
  return { host, process, history, restarted: () => rm(join(root, 'run/joinery'), { recursive: true, force: true }) };
}

describe('a resumed run', () => {
  const a: TestStep = {
    id: 'a',
    effects: ETC,
    output: { type: 'object', properties: { size: { type: 'integer' } } },
    run: async (ports) => {
      await write('a')(ports);
      return { size: 7 };
    },
  };
  const b = (does: TestStep['run']): TestStep => ({
    id: 'b',
    needs: ['a'],
    reads: ['a'],
    effects: ETC,
    with: output('a', 'size'),
    run: does,
  });

  test('a resumed run does not repeat finished steps, and later steps read their outputs', async () => {
    const { process } = await machine();
    const first = await process(
      a,
      b(() => Promise.reject(BROKEN)),
    );
    expect([first.ran, first.result.status]).toEqual([['a', 'b'], 'failed']);
    const seen: unknown[] = [];
    const second = await process(
      a,
      b((_, input) => void seen.push(input)),
    );
    expect([second.ran, second.kept, seen]).toEqual([['b'], ['a'], [{ size: 7 }]]);
    expect(second.result).toMatchObject({
      id: second.journal.id,
      status: 'succeeded',
      steps: [
        { id: 'a', status: 'succeeded', attempts: 1, outputs: { size: 7 } },
        { id: 'b', status: 'succeeded', attempts: 1 },
      ],
    });
    expect('error' in second.result).toBe(false);
  });

  test('a resumed run repeats interrupted and failed steps', async () => {
    const { process, history } = await machine();
    await process(
      a,
      b(() => Promise.reject(BROKEN)),
    );
    const second = await process(
      a,
      b(() => Promise.reject(BROKEN)),
    );
    expect([second.ran, second.result.status]).toEqual([['b'], 'failed']);
    expect((await history()).status).toBe('failed');
    expect(
      (
        await process(
          a,
          b(() => ({})),
        )
      ).ran,
    ).toEqual(['b']);
    expect((await history()).status).toBe('succeeded');
  });

  test('the journal of a resumed run has all changes, and an undo restores the state before the first', async () => {
    const { process, history } = await machine();
    await process(
      a,
      b(() => Promise.reject(BROKEN)),
    );
    await process(
      a,
      b(({ files }) => files.write('/etc/a', 'changed', 0o644)),
    );
    expect((await history()).changes.map(({ step, before }) => `${step} ${before.kind}`)).toEqual([
      'a absent',
      'b earlier',
    ]);
  });

  test('a run that changed nothing leaves no journal and has no id', async () => {
    const { process, journal } = await machine().then(async ({ process }) => ({
      process,
      journal: await process({ id: 'a', run: () => ({}) }),
    }));
    expect('id' in journal.result).toBe(false);
    await expect(process({ id: 'a', run: () => ({}) })).rejects.toMatchObject({ code: 'E_RUN_UNKNOWN' });
  });
});

describe('secrets of a resumed run', () => {
  const keyed = (extra: Partial<TestStep> = {}): TestStep => ({
    id: 'a',
    effects: ETC,
    output: SECRET,
    run: async (ports) => {
      await write('a')(ports);
      return { key: await ports.random.once('key', () => `made ${Math.random()}`) };
    },
    ...extra,
  });
  const reads = (seen: Secret[], does: () => unknown = () => ({})): TestStep => ({
    id: 'b',
    needs: ['a'],
    reads: ['a'],
    input: SECRET,
    effects: ETC,
    with: output('a', 'key'),
    run: async (ports, input) => {
      seen.push((input as { key: Secret }).key);
      await write('b')(ports);
      return does();
    },
  });

  test('secrets are Secrets again after a resume', async () => {
    const { process } = await machine();
    const seen: Secret[] = [];
    await process(
      keyed(),
      reads(seen, () => Promise.reject(BROKEN)),
    );
    const second = await process(keyed(), reads(seen));
    expect(second.ran).toEqual(['b']);
    expect(seen.map(isSecret)).toEqual([true, true]);
    expect(seen[1]?.reveal()).toBe(seen[0]?.reveal());
    expect(second.result.steps[0]?.outputs).toEqual({ key: expect.any(Secret) });
  });

  test('if secrets are gone, their step and all steps after it run again, in order', async () => {
    const { process, restarted } = await machine();
    const seen: Secret[] = [];
    const last = (does: () => unknown): TestStep => ({ id: 'd', needs: ['b', 'c'], run: does });
    const beside: TestStep = { id: 'c', effects: ETC, run: write('c') };
    const after: TestStep = { id: 'e', needs: ['b'], run: () => ({}) };
    await process(
      keyed(),
      reads(seen),
      beside,
      after,
      last(() => Promise.reject(BROKEN)),
    );
    await restarted();
    const second = await process(
      keyed(),
      reads(seen),
      beside,
      after,
      last(() => ({})),
    );
    expect(second.kept).toEqual(['c']);
    expect(second.ran.slice(0, 2)).toEqual(['a', 'b']);
    expect(second.ran.slice(2).sort()).toEqual(['d', 'e']);
    expect(second.result.status).toBe('succeeded');
    expect(seen[1]?.reveal()).not.toBe(seen[0]?.reveal());
  });

  test('random values of an interrupted step are the same when it runs again', async () => {
    const { process } = await machine();
    const keys: string[] = [];
    const step = (does: () => unknown): TestStep =>
      keyed({
        run: async ({ random }) => {
          keys.push((await random.once('key', () => `made ${Math.random()}`)).reveal());
          return does();
        },
      });
    await process(step(() => Promise.reject(BROKEN)));
    await process(step(() => ({})));
    expect(keys[0]).toBe(keys[1]);
  });
});

describe('the journal of a run', () => {
  const journaled = async (journal: Journal) =>
    [...journal.history().steps].map(([id, { status, attempts }]) => `${id} ${status} ${attempts}`);

  test('the journal records the result of each step and of the run', async () => {
    const { process, history } = await machine();
    const { journal } = await process(
      { id: 'a', effects: ETC, run: write('a') },
      {
        id: 'b',
        needs: ['a'],
        retry: { attempts: 2, initialMs: 0, factor: 1, capMs: 0 },
        run: () => Promise.reject(fail('E_API_UNREACHABLE', { server: 's', what: 'w' })),
      },
      { id: 'c', needs: ['b'], run: () => ({}) },
    );
    expect(await journaled(journal)).toEqual(['a succeeded 1', 'b failed 2']);
    expect(await history()).toMatchObject({
      status: 'failed',
      error: { code: 'E_API_UNREACHABLE', message: 's does not answer: w' },
    });
  });
});
