/** Steps that receive the events of their run. */
import { describe, expect, test } from 'vitest';
import { Listeners, type ListenersOptions } from '../../../engine/run/listeners.ts';
import { run } from '../../../engine/run/run.ts';
import type { AnyPhase, RunEvent } from '../../../engine/sdk/index.ts';
import { memoryHost } from '../../../engine/testing/memory-host.ts';
import { planOfSteps } from '../../helpers/plans.ts';

const phase = { onEvent: async () => undefined };
const listenersOf = (options: Pick<ListenersOptions, 'deliver' | 'warn' | 'limitMs'>): Listeners =>
  new Listeners(options);
const FIELDS = { apiVersion: 'joinery.dev/v1', kind: 'Event', seq: 1, at: '', run: 'r', pipeline: 'p' } as const;
const begun = (step: string): RunEvent => ({
  ...FIELDS,
  machine: 'w1',
  type: 'step.started',
  step,
  attempt: 1,
  direction: 'run',
});
const RUN_END = { status: 'failed', durationMs: 1, changes: { made: 0, undone: 0, kept: 0 } } as const;
const end: RunEvent = { ...FIELDS, machine: 'w1', type: 'run.ended', ...RUN_END };
const nameOf = (event: RunEvent): string => ('step' in event ? event.step : 'end');

describe('a listener', () => {
  test('a listener receives the events in order, one after the other', async () => {
    const delivered: string[] = [];
    const listeners = listenersOf({
      async deliver(_, event) {
        const step = nameOf(event);
        await new Promise((resolve) => setTimeout(resolve, step === 'a' ? 20 : 0));
        delivered.push(step);
      },
      warn: expect.unreachable,
    });
    listeners.notify(begun('before')); // no step listens yet
    listeners.add('deaf', {});
    listeners.add('n', phase);
    for (const id of ['a', 'b']) listeners.notify(begun(id));
    await listeners.finish(end);
    expect(delivered).toEqual(['a', 'b', 'end']);
  });

  test('a listener that fails or times out causes one warning, and then receives only the end of the run', async () => {
    const [delivered, warned]: [string[], string[]] = [[], []];
    const listeners = listenersOf({
      async deliver(id, event) {
        delivered.push(`${id} ${nameOf(event)}`);
        if (id === 'stuck') await new Promise(() => undefined);
        throw new Error('no');
      },
      warn: (id, text) => warned.push(`${id} ${text}`),
      limitMs: 20,
    });
    for (const id of ['stuck', 'broken']) listeners.add(id, phase);
    for (const id of ['a', 'b']) listeners.notify(begun(id));
    await listeners.finish(end);
    expect(delivered.sort()).toEqual(['broken a', 'broken end', 'stuck a', 'stuck end']);
    expect(warned.sort()).toEqual([
      'broken event not delivered: no',
      'stuck event not delivered: timed out after 0.02 s',
    ]);
  });
});

test('a step receives later events without secrets, and an error in its listener does not fail the run', async () => {
  const seen: RunEvent[] = [];
  const plan = planOfSteps(
    { id: 'n', run: async () => undefined },
    {
      id: 'a',
      needs: ['n'],
      run: async () => {
        throw new Error('canary-word-0123 is wrong');
      },
    },
  );
  const [first] = plan.steps;
  const listening: AnyPhase = {
    ...(first?.phase as AnyPhase),
    async onEvent(_, __, event) {
      seen.push(event);
      throw new Error('the listener fails');
    },
  };
  const steps = plan.steps.map((step) => (step.id === 'n' ? { ...step, phase: listening } : step));
  const { Secret } = await import('../../../engine/sdk/index.ts');
  const host = memoryHost();
  const result = await run({ plan: { ...plan, steps, inputs: { word: new Secret('canary-word-0123') } }, host });
  expect(result.status).toBe('failed');
  expect(seen).toMatchObject([
    { type: 'step.ended', step: 'n', status: 'succeeded' },
    { type: 'run.ended', status: 'failed' },
  ]);
  expect(seen.at(-1)).toMatchObject({ machine: 'w1', error: { code: 'E_BUG', message: 'Error: *** is wrong' } });
  expect(result.steps[0]?.notes).toEqual([{ level: 'warn', text: 'event not delivered: the listener fails' }]);
});
