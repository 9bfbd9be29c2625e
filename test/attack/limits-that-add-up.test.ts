/** Time limits fit together: a join that has time left is not ended by one slow answer, or by a count of attempts. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadPipeline } from '../../engine/pipeline/load.ts';
import { planOf } from '../../engine/pipeline/plan.ts';
import { registry } from '../helpers/app.ts';
import { failing, machineRun, step, TRANSIENT } from '../helpers/machine-run.ts';
import { PROJECT } from '../helpers/sources.ts';

const HOST = { name: 'w1', privileged: true, architecture: 'amd64', distribution: 'debian' };
const INPUTS = { endpoint: '10.0.0.1:6443', token: 'abcdef.0123456789abcdef' };
/** To connect, until the answer begins, and until it is complete. */
const REQUEST_MS = 25_000;

async function shippedSteps() {
  const text = await readFile(join(PROJECT, 'pipelines/join-worker.yaml'), 'utf8');
  const inputs = { ...INPUTS, discoveryTokenCaCertHash: [`sha256:${'0'.repeat(64)}`], discoveryTimeout: '2m' };
  return planOf(loadPipeline('join-worker.yaml', text), registry, inputs, HOST).steps;
}
const REMOTE = ['discovery', 'cluster-config', 'preflight-cluster', 'tls-bootstrap', 'node-ready'];

describe('the steps of a join that ask the cluster', () => {
  test.each(REMOTE)('for %s, an attempt is longer than its requests, and the time ends the retries', async (id) => {
    const planned = (await shippedSteps()).find((each) => each.id === id);
    expect(planned?.timeoutMs).toBeGreaterThan(2 * REQUEST_MS);
    expect(planned?.totalMs).toBeGreaterThanOrEqual(planned?.timeoutMs ?? Number.POSITIVE_INFINITY);
    expect(planned?.retry.attempts).toBeGreaterThan((planned?.totalMs ?? 0) / (planned?.retry.initialMs ?? 1));
    expect(planned?.retry.jitter).toBeGreaterThan(0);
    expect(planned?.retry.capMs).toBeLessThanOrEqual(10_000);
  });

  test.each(REMOTE.slice(1))('%s survives a server that is away for 30 s', async (id) => {
    for (const random of [0, 0.5, 1]) {
      const planned = (await shippedSteps()).find((each) => each.id === id);
      const { time, ends } = machineRun({
        steps: [{ ...planned, ...step('a') }],
        attempt: async (_, clock) => {
          await clock.sleep(5);
          if (clock.now() < 30_000) throw TRANSIENT;
          return 'succeeded';
        },
        random,
      });
      await time.passAll();
      expect(ends()).toEqual(['a succeeded']);
      expect(time.now()).toBeLessThan(45_000);
    }
  });
});

const RETRY = { attempts: 1_000_000, initialMs: 1_000, factor: 2, capMs: 10_000, jitter: 0.2 };

test('a step of 5 minutes survives a server that is away for 30 s', async () => {
  const { time, ends } = machineRun({
    steps: [{ ...step('a'), timeoutMs: 300_000, totalMs: 300_000, retry: RETRY }],
    attempt: async (_, clock) => {
      await clock.sleep(5);
      if (clock.now() < 30_000) throw TRANSIENT;
      return 'succeeded';
    },
  });
  await time.passAll();
  expect(ends()).toEqual(['a succeeded']);
});

test('an attempt that timed out is tried again within the total, with twice the time', async () => {
  const { time, events } = machineRun({
    steps: [{ ...step('a'), timeoutMs: 15_000, totalMs: 120_000, retry: RETRY }],
    attempt: async ({ signal }, clock) => {
      await clock.sleep(8_000, signal); // two answers, each as slow as one may be
      await clock.sleep(8_000, signal);
      return 'succeeded';
    },
  });
  await time.passAll();
  expect(events.at(-1)).toEqual({ at: 32_000, type: 'step.ended', id: 'a', status: 'succeeded', attempts: 2 });
});

test('the total ends attempts that time out again and again', async () => {
  const { time, events } = machineRun({
    steps: [{ ...step('a'), timeoutMs: 1_000, totalMs: 60_000, retry: RETRY }],
    attempt: async ({ signal }, clock) => {
      await clock.sleep(1_000_000, signal);
      return 'succeeded';
    },
  });
  await time.passAll();
  expect(events.at(-1)).toMatchObject({ at: 60_000, status: 'failed', error: { code: 'E_STEP_TIME_LIMIT' } });
  expect(time.pending).toBe(0);
});

test('an undo ends, although no total limits it', async () => {
  const run = machineRun({
    steps: [{ ...step('a'), timeoutMs: 1_000, totalMs: 60_000, retry: RETRY }, step('b', 'a')],
    attempt: async (input, clock) => {
      if (input.direction === 'undo') throw TRANSIENT;
      if (input.id === 'b') return failing(new Error('permanent'))(input, clock);
      return 'succeeded';
    },
    onFailure: 'undo',
  });
  await run.time.passAll();
  expect(run.ends().at(-1)).toBe('a undo-failed');
});
