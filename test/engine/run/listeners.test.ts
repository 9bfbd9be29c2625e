/** Steps that are told what happens in their run. */
import { describe, expect, test } from 'vitest';
import { memoryHost } from '../../../engine/host/memory.ts';
import { Listeners, type ListenersOptions } from '../../../engine/run/listeners.ts';
import { run } from '../../../engine/run/run.ts';
import type { AnyPhase, PhaseEvent } from '../../../engine/sdk/index.ts';
import { madePlan } from '../../helpers/plans.ts';

const phase = { onEvent: async () => undefined };
const listenersOf = (given: Pick<ListenersOptions, 'tell' | 'warn'> & { limitMs?: number }): Listeners =>
  new Listeners({
    event: () => ({ at: '', run: 'r', pipeline: 'p', machine: 'w1' }),
    errorOf: (error) => ({ code: 'E_X', message: (error as Error).message }),
    redacted: (told) => told,
    ...given,
  });

describe('a listener', () => {
  test('is told in order, one event after the other', async () => {
    const told: string[] = [];
    const listeners = listenersOf({
      async tell(_, { step = 'end' }) {
        await new Promise((resolve) => setTimeout(resolve, step === 'a' ? 20 : 0));
        told.push(step);
      },
      warn: expect.unreachable,
    });
    listeners.happened({ type: 'step.started', id: 'before' }); // nobody listens yet
    listeners.add('deaf', {});
    listeners.add('n', phase);
    for (const id of ['a', 'b']) listeners.happened({ type: 'step.ended', id });
    await listeners.ended('succeeded', undefined);
    expect(told).toEqual(['a', 'b', 'end']);
  });

  test('that fails, or never ends, is warned of once, and told of nothing more but the end', async () => {
    const [told, warned]: [string[], string[]] = [[], []];
    const listeners = listenersOf({
      async tell(id, { step = 'end' }) {
        told.push(`${id} ${step}`);
        if (id === 'stuck') await new Promise(() => undefined);
        throw new Error('no');
      },
      warn: (id, text) => warned.push(`${id} ${text}`),
      limitMs: 20,
    });
    for (const id of ['stuck', 'broken']) listeners.add(id, phase);
    for (const id of ['a', 'b']) listeners.happened({ type: 'step.ended', id });
    await listeners.ended('failed', new Error('x'));
    expect(told.sort()).toEqual(['broken a', 'broken end', 'stuck a', 'stuck end']);
    expect(warned.sort()).toEqual(['broken not told: no', 'stuck not told: not done after 0.02 s']);
  });
});

test('a step is told what comes after it, without secrets, and what it throws fails nothing', async () => {
  const seen: PhaseEvent[] = [];
  const plan = madePlan(
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
    async onEvent(_, __, told) {
      seen.push(told);
      throw new Error('nobody hears me');
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
  expect(result.steps[0]?.notes).toEqual([{ level: 'warn', text: 'not told: nobody hears me' }]);
});
