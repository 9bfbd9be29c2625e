/** Steps that receive the events of their run. */
import { describe, expect, test } from 'vitest';
import { Listeners, type ListenersOptions } from '../../../engine/run/listeners.ts';
import { run } from '../../../engine/run/run.ts';
import type { MachineEvent } from '../../../engine/run/step-machine.ts';
import type { AnyPhase, PhaseEvent } from '../../../engine/sdk/index.ts';
import { memoryHost } from '../../../engine/testing/memory-host.ts';
import { planOfSteps } from '../../helpers/plans.ts';

const phase = { onEvent: async () => undefined };
const listenersOf = (options: Pick<ListenersOptions, 'deliver' | 'warn' | 'limitMs'>): Listeners =>
  new Listeners({
    facts: () => ({ at: '', run: 'r', pipeline: 'p', machine: 'w1' }),
    errorOf: (error) => ({ code: 'E_X', message: (error as Error).message }),
    redact: (event) => event,
    ...options,
  });
const ended = (id: string): MachineEvent => ({ type: 'step.ended', id, status: 'succeeded', attempts: 1 });

describe('a listener', () => {
  test('a listener receives the events in order, one after the other', async () => {
    const delivered: string[] = [];
    const listeners = listenersOf({
      async deliver(_, { step = 'end' }) {
        await new Promise((resolve) => setTimeout(resolve, step === 'a' ? 20 : 0));
        delivered.push(step);
      },
      warn: expect.unreachable,
    });
    listeners.notify({ type: 'step.started', id: 'before', attempt: 1, direction: 'run' }); // no step listens yet
    listeners.add('deaf', {});
    listeners.add('n', phase);
    for (const id of ['a', 'b']) listeners.notify(ended(id));
    await listeners.finish('succeeded', undefined);
    expect(delivered).toEqual(['a', 'b', 'end']);
  });

  test('a listener that fails or times out causes one warning, and then receives only the end of the run', async () => {
    const [delivered, warned]: [string[], string[]] = [[], []];
    const listeners = listenersOf({
      async deliver(id, { step = 'end' }) {
        delivered.push(`${id} ${step}`);
        if (id === 'stuck') await new Promise(() => undefined);
        throw new Error('no');
      },
      warn: (id, text) => warned.push(`${id} ${text}`),
      limitMs: 20,
    });
    for (const id of ['stuck', 'broken']) listeners.add(id, phase);
    for (const id of ['a', 'b']) listeners.notify(ended(id));
    await listeners.finish('failed', new Error('x'));
    expect(delivered.sort()).toEqual(['broken a', 'broken end', 'stuck a', 'stuck end']);
    expect(warned.sort()).toEqual([
      'broken event not delivered: no',
      'stuck event not delivered: timed out after 0.02 s',
    ]);
  });
});

test('a step receives later events without secrets, and an error in its listener does not fail the run', async () => {
  const seen: PhaseEvent[] = [];
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
  expect(seen.map(({ type, step, status }) => [type, step, status])).toEqual([
    ['step.ended', 'n', 'succeeded'],
    ['run.ended', undefined, 'failed'],
  ]);
  expect(seen.at(-1)).toMatchObject({ machine: 'w1', error: { code: 'E_BUG', message: 'Error: *** is wrong' } });
  expect(result.steps[0]?.notes).toEqual([{ level: 'warn', text: 'event not delivered: the listener fails' }]);
});
