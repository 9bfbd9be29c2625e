import { describe, expect, test } from 'vitest';
import {
  failing,
  type MachineSetup,
  machineRun,
  PERMANENT,
  step,
  TRANSIENT,
  working,
} from '../../helpers/machine-run.ts';

describe('an undo', () => {
  const undone = async (setup: Omit<MachineSetup, 'onFailure'>, cancelAtMs?: number) => {
    const machine = machineRun({ ...setup, onFailure: 'undo' });
    if (cancelAtMs !== undefined) {
      await machine.time.pass(cancelAtMs);
      machine.cancel();
    }
    await machine.time.passAll();
    return machine;
  };
  /** Runs for 10 ms, and is undone in 5. */
  const both: MachineSetup['attempt'] = async ({ direction, signal }, time) => {
    await time.sleep(direction === 'run' ? 10 : 5, signal);
    return direction === 'run' ? 'succeeded' : 'undone';
  };

  test('an undo goes through the steps one at a time, the last one first, including the failed one', async () => {
    const machine = await undone({
      steps: [step('a'), step('b'), step('c', 'b'), step('d', 'c')],
      attempt: async (input, time) => {
        if (input.id === 'c' && input.direction === 'run') throw PERMANENT;
        return both(input, time);
      },
    });
    expect(machine.ends()).toEqual(['a succeeded', 'b succeeded', 'c failed', 'c undone', 'b undone', 'a undone']);
    expect(machine.time.now()).toBe(10 + 3 * 5);
    expect(['a', 'b', 'c', 'd'].map((id) => machine.frontier.status(id))).toEqual([
      'undone',
      'undone',
      'undone',
      'skipped',
    ]);
    expect(machine.state()).toBe('failed');
  });

  test('an undo starts when no step is running', async () => {
    const machine = await undone({
      steps: [step('bad'), step('slow')],
      attempt: async ({ id, direction, signal }, time) => {
        if (direction === 'undo') return 'undone';
        if (id === 'bad') throw PERMANENT;
        await time.sleep(50_000, signal).catch(() => undefined);
        await time.sleep(300);
        throw signal.reason;
      },
    });
    expect(
      machine.events.flatMap((event) =>
        event.type === 'step.ended' ? [`${event.at} ${event.id} ${event.status}`] : [],
      ),
    ).toEqual(['0 bad failed', '300 slow cancelled', '300 slow undone', '300 bad undone']);
  });

  test('a cancelled run is undone, and a second cancellation stops the undo', async () => {
    const machine = machineRun({ steps: [step('a'), step('b', 'a')], attempt: both, onFailure: 'undo' });
    await machine.time.pass(12);
    machine.cancel();
    await machine.time.pass(2);
    machine.cancel();
    await machine.time.passAll();
    expect(machine.ends()).toEqual(['a succeeded', 'b cancelled', 'b undo-failed']);
    expect(machine.state()).toBe('cancelled');
  });

  test('an undo continues after a step that cannot be undone, and retries transient errors', async () => {
    const machine = await undone({
      steps: [step('a'), step('b', 'a'), step('bad', 'b')],
      attempt: async (input, time) => {
        if (input.id === 'bad') throw PERMANENT;
        if (input.id === 'b' && input.direction === 'undo') throw input.attempt < 3 ? TRANSIENT : PERMANENT;
        return both(input, time);
      },
    });
    expect(machine.ends()).toEqual([
      'a succeeded',
      'b succeeded',
      'bad failed',
      'bad undo-failed',
      'b undo-failed',
      'a undone',
    ]);
    expect(
      machine.events.find((event) => event.type === 'step.ended' && event.id === 'b' && event.status === 'undo-failed'),
    ).toMatchObject({ attempts: 3, error: PERMANENT });
    expect(machine.state()).toBe('failed');
  });

  test('a run that succeeds is not undone', async () => {
    const machine = await undone({ steps: [step('a')], attempt: both });
    expect([machine.ends(), machine.state()]).toEqual([['a succeeded'], 'succeeded']);
  });
});

describe('many steps', () => {
  const many = Array.from({ length: 10 }, (_, index) => step(`s${index}`));

  test.each([1, 3, 8])('at most %i steps run at once, and always that many', async (maxParallel) => {
    let active = 0;
    const seen: number[] = [];
    const run = machineRun({
      steps: many,
      maxParallel,
      attempt: async (input, time) => {
        seen.push(++active);
        const end = await working(100)(input, time);
        active--;
        return end;
      },
    });
    await run.time.passAll();
    expect(Math.max(...seen)).toBe(maxParallel);
    expect(run.time.now()).toBe(100 * Math.ceil(10 / maxParallel));
  });

  test('a pausing step counts as running', async () => {
    const run = machineRun({
      steps: [step('a'), step('b')],
      maxParallel: 1,
      attempt: async ({ id, attempt }) => {
        if (id === 'a' && attempt === 1) throw TRANSIENT;
        return 'succeeded';
      },
    });
    await run.time.passAll();
    expect(run.started()).toEqual(['0 a', '100 a', '100 b']);
  });

  test('a step has a machine only while it is active', async () => {
    const run = machineRun({
      steps: [step('a'), step('b', 'a'), step('c', 'a'), step('d', 'b', 'c')],
      attempt: working(100),
    });
    const seen: [number, string[]][] = [];
    for (let at = 0; at < 400; at += 50) {
      seen.push([at, run.children()]);
      await run.time.pass(50);
    }
    expect(seen).toEqual([
      [0, ['a']],
      [50, ['a']],
      [100, ['b', 'c']],
      [150, ['b', 'c']],
      [200, ['d']],
      [250, ['d']],
      [300, []],
      [350, []],
    ]);
  });

  test('a run without steps succeeds at once', () => {
    expect(machineRun({ steps: [], attempt: failing(PERMANENT) }).state()).toBe('succeeded');
  });
});
