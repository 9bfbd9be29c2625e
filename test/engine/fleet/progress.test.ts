import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RolloutAction } from '../../../engine/fleet/board.ts';
import type { Rollout } from '../../../engine/fleet/fleet.ts';
import { type HostResult, RolloutProgress } from '../../../engine/fleet/progress.ts';
import { fakeFleet, fakeHost } from '../../helpers/fake-fleet/operator.ts';

const AT = '2026-12-01T10:00:00.000Z';
const result = (state: HostResult['state']): HostResult => ({ state, startedAt: AT, endedAt: AT });
const workers = (count: number) => Array.from({ length: count }, (_, number) => fakeHost(`w${number + 1}`));
const progressOf = (count: number, rollout: Partial<Rollout>) =>
  new RolloutProgress(fakeFleet(workers(count), rollout), 'rack-7-1', AT);

/** The names of the hosts that start now. */
function start(progress: RolloutProgress): string[] {
  const decision = progress.decide(AT);
  return decision.kind === 'end' ? ['end'] : [...decision.join, ...decision.undo].map(({ name }) => name);
}
function finish(progress: RolloutProgress, hosts: readonly string[], state: HostResult['state'] = 'joined'): string[] {
  for (const host of hosts) progress.record(host, result(state));
  return start(progress);
}
const waves = ({ status }: RolloutProgress) => status.waves.map(({ state }) => state);

describe('what a rollout does next', () => {
  test('a wave starts when the wave before it has finished, and never more hosts than allowed join', () => {
    const progress = progressOf(6, { waves: [{ hosts: 1 }, 'rest'], maxParallel: 3 });
    expect(start(progress)).toEqual(['w1']);
    expect(start(progress)).toEqual([]);
    expect(finish(progress, ['w1'])).toEqual(['w2', 'w3', 'w4']);
    expect(finish(progress, ['w3'])).toEqual(['w5']);
    expect(finish(progress, ['w2', 'w4', 'w5'])).toEqual(['w6']);
    expect(finish(progress, ['w6'])).toEqual(['end']);
    expect(progress.status).toMatchObject({ state: 'succeeded', endedAt: AT });
    expect(waves(progress)).toEqual(['succeeded', 'succeeded']);
  });

  test('control planes of a wave join one at a time, and workers after them', () => {
    const hosts = [fakeHost('w1'), fakeHost('cp1', 'control-plane'), fakeHost('cp2', 'control-plane'), fakeHost('w2')];
    const progress = new RolloutProgress(fakeFleet(hosts, { waves: ['rest'] }), 'r', AT);
    expect(start(progress)).toEqual(['cp1']);
    expect(start(progress)).toEqual([]);
    expect(finish(progress, ['cp1'])).toEqual(['cp2']);
    expect(finish(progress, ['cp2'])).toEqual(['w1', 'w2']);
  });

  test('more failures than the budget pause the rollout, and resume accepts them', () => {
    const progress = progressOf(6, { waves: [{ hosts: 3 }, 'rest'], failureBudget: { hosts: 1 } });
    start(progress);
    progress.record('w1', result('failed'));
    expect(start(progress)).toEqual([]);
    expect(finish(progress, ['w2'], 'failed')).toEqual([]);
    expect(progress.status).toMatchObject({ state: 'paused', reason: '2 hosts failed, and 1 may fail' });
    expect(finish(progress, ['w3'])).toEqual([]);
    progress.act({ action: 'resume' });
    expect(start(progress)).toEqual(['w4', 'w5', 'w6']);
    expect(progress.status.budget).toEqual({ failedHosts: 2, allowedHosts: 3 });
  });

  test('with stop, the next wave does not start when the budget is exceeded', () => {
    const progress = progressOf(4, { waves: [{ hosts: 2 }, 'rest'], onBudgetExceeded: 'stop' });
    start(progress);
    progress.record('w1', result('failed'));
    expect(start(progress)).toEqual([]);
    expect(finish(progress, ['w2'])).toEqual(['end']);
    expect(progress.status).toMatchObject({ state: 'failed', reason: '1 host failed, and 0 may fail' });
    expect(waves(progress)).toEqual(['stopped', 'waiting']);
  });

  test('with undo, the machines of the wave are rolled back, the last one first', () => {
    const progress = progressOf(4, { waves: [{ hosts: 1 }, 'rest'], onBudgetExceeded: 'undo' });
    start(progress);
    finish(progress, ['w1']);
    progress.record('w3', result('failed'));
    expect(start(progress)).toEqual([]);
    expect(finish(progress, ['w2', 'w4'])).toEqual(['w4', 'w3', 'w2']);
    expect(finish(progress, ['w2', 'w3', 'w4'], 'undone')).toEqual(['end']);
    expect(progress.status.state).toBe('failed');
    expect(progress.host('w1').state).toBe('joined');
  });

  test('a wave soaks before the next one, and a false condition pauses the rollout instead', () => {
    const progress = progressOf(3, { waves: [{ hosts: 2 }, 'rest'], soakMs: 60_000, failureBudget: { hosts: 2 } });
    start(progress);
    progress.record('w1', result('joined'));
    progress.record('w2', result('joined'));
    expect(progress.decide(AT)).toMatchObject({ soakMs: 60_000 });
    expect(progress.status.waves[0]).toMatchObject({ state: 'soaking', soaksUntil: '2026-12-01T10:01:00.000Z' });
    expect(start(progress)).toEqual([]);
    progress.soaked();
    expect(start(progress)).toEqual(['w3']);

    const refused = progressOf(3, { proceedIf: 'wave.failed == 0', failureBudget: { hosts: 2 } });
    start(refused);
    expect(finish(refused, ['w1'], 'failed')).toEqual([]);
    expect(refused.status).toMatchObject({ state: 'paused', reason: 'wave 1: wave.failed == 0 is false' });
    refused.act({ action: 'resume' });
    expect(start(refused)).toEqual(['w2', 'w3']);
  });

  test('retry joins a failed host again, and skip leaves a host out', () => {
    const progress = progressOf(3, { waves: ['rest'], maxParallel: 2 });
    start(progress);
    progress.act({ action: 'skip', host: 'w3' });
    finish(progress, ['w2']);
    expect(finish(progress, ['w1'], 'failed')).toEqual([]);
    progress.act({ action: 'retry', host: 'w1' });
    progress.act({ action: 'resume' });
    expect(start(progress)).toEqual(['w1']);
    expect(finish(progress, ['w1'])).toEqual(['end']);
    expect(progress.status.hosts.map(({ state, attempts }) => `${state} ${attempts}`)).toEqual([
      'joined 2',
      'joined 1',
      'skipped 0',
    ]);
  });

  test.each<[RolloutAction, string]>([
    [{ action: 'resume' }, 'the rollout is not paused'],
    [{ action: 'retry', host: 'w1' }, 'host w1 is joining'],
    [{ action: 'skip', host: 'w9' }, 'the fleet has no host w9'],
    [{ action: 'undo', wave: 7 }, 'the fleet has no wave 7'],
  ])('an action that is not possible is refused with the reason: %o', (action, reason) => {
    const progress = progressOf(3, {});
    start(progress);
    expect(progress.refuses(action)).toBe(reason);
  });

  test('cancel waits for the machines that join, and starts no other one', () => {
    const progress = progressOf(3, { waves: ['rest'], maxParallel: 1 });
    start(progress);
    progress.act({ action: 'cancel' });
    expect(start(progress)).toEqual([]);
    expect(finish(progress, ['w1'])).toEqual(['end']);
    expect(progress.status).toMatchObject({ state: 'cancelled', reason: 'cancelled by the operator' });
  });

  test('a wave of a rollout that has ended can be undone', () => {
    const ended = progressOf(3, { waves: [{ hosts: 1 }, 'rest'] });
    start(ended);
    finish(ended, ['w1']);
    finish(ended, ['w2', 'w3']);
    const progress = RolloutProgress.ofEnded(ended.fleet, ended.status);
    progress.act({ action: 'undo', wave: 2 });
    expect(start(progress)).toEqual(['w3', 'w2']);
    expect(finish(progress, ['w2', 'w3'], 'undone')).toEqual(['end']);
    expect(progress.status.hosts.map(({ state }) => state)).toEqual(['joined', 'undone', 'undone']);
    expect(waves(progress)).toEqual(['succeeded', 'undone']);
  });

  test('whatever the results, each host joins once, and a rollout ends or waits for its operator', () => {
    const states = fc.constantFrom<HostResult['state'][]>('joined', 'joined', 'unchanged', 'failed');
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), fc.array(states, { minLength: 30, maxLength: 30 }), (count, all) => {
        const progress = progressOf(count, { waves: [{ percent: 20 }, 'rest'], failureBudget: { percent: 20 } });
        const joining = start(progress);
        const joined = [...joining];
        while (joining.length > 0 && joining[0] !== 'end') {
          const host = joining.shift() ?? '';
          progress.record(host, result(all[Number(host.slice(1)) - 1] ?? 'joined'));
          const next = start(progress);
          joining.push(...next.filter((name) => name !== 'end'));
          joined.push(...next);
        }
        const names = joined.filter((name) => name !== 'end');
        expect(new Set(names).size).toBe(names.length);
        const { state, budget } = progress.status;
        expect(state).toBe(budget.failedHosts > budget.allowedHosts ? 'paused' : 'succeeded');
      }),
    );
  });
});
