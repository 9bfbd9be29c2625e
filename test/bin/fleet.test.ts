import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { RolloutProgress } from '../../engine/fleet/progress.ts';
import { atEnd } from '../helpers/endings.ts';
import { fakeFleet, fakeHost } from '../helpers/fake-fleet/operator.ts';
import { cli, project } from './cli.ts';
import { documentOf } from './documents.ts';

function fileWith(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'fleet-'));
  atEnd(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'rack.yaml');
  writeFileSync(file, text);
  return file;
}
const [example = ''] =
  /(?<=```yaml\n)apiVersion[\s\S]*?(?=```)/.exec(readFileSync(join(project, 'docs/fleets.md'), 'utf8')) ?? [];

describe('join fleet validate and plan', () => {
  test('the fleet in docs/fleets.md is valid', async () => {
    const file = fileWith(example);
    const outcome = await cli(['fleet', 'validate', file]);
    expect(outcome).toEqual({ code: 0, stdout: `${file}: 4 hosts in 3 waves, no problems\n`, stderr: '' });
    const { stdout } = await cli(['fleet', 'validate', file, '-o', 'json']);
    expect(documentOf('FleetValidation', stdout)).toMatchObject({ valid: true, waves: [1, 2, 1], problems: [] });
  });

  test('the plan shows the waves, the budget, the soak and the condition', async () => {
    const file = fileWith(example);
    expect((await cli(['fleet', 'plan', file])).stdout.split('\n')).toEqual([
      'Fleet rack-7: 4 hosts in 3 waves, at most 20 at the same time',
      'Wave 1: 1 host',
      '  cp-2 (10.0.7.2, control plane)',
      'Wave 2: 2 hosts',
      '  w1 (10.0.7.11)',
      '  w2 (10.0.7.12)',
      'Wave 3: 1 host',
      '  w3 (10.0.7.13)',
      'If more than 1 host fails, the rollout pauses.',
      'After each wave but the last, the rollout soaks for 10m.',
      'The next wave starts if wave.failed == 0 && wave.durationSeconds < 900.0; otherwise the rollout pauses.',
      '',
    ]);
    const { stdout } = await cli(['fleet', 'plan', file, '-o', 'json']);
    expect(documentOf('FleetPlan', stdout)).toMatchObject({ fleet: 'rack-7', allowedFailures: 1, soakSeconds: 600 });
  });

  test('a wrong fleet ends with exit code 3, and the error quotes the line', async () => {
    const file = fileWith(example.replace('failureBudget: 1', 'failureBudget: some'));
    const outcome = await cli(['fleet', 'validate', file]);
    expect(outcome.code).toBe(3);
    expect(outcome.stderr).toContain('E_FLEET');
    expect(outcome.stderr).toMatch(/> \d+ \| {3}failureBudget: some/);
    const { stdout, code } = await cli(['fleet', 'validate', file, '-o', 'json']);
    expect({ code, valid: documentOf('FleetValidation', stdout).valid }).toEqual({ code: 3, valid: false });
  });

  test('a file that does not exist is E_FLEET_FILE', async () => {
    expect(await cli(['fleet', 'plan', '/none.yaml'])).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('E_FLEET_FILE: cannot read the fleet /none.yaml: does not exist'),
    });
  });
});

describe('commands about a rollout', () => {
  const state = () => {
    const folder = mkdtempSync(join(tmpdir(), 'fleet-'));
    atEnd(() => rmSync(folder, { recursive: true }));
    return { XDG_STATE_HOME: folder };
  };
  const known = (variables: { XDG_STATE_HOME: string }, status?: object) => {
    const folder = join(variables.XDG_STATE_HOME, 'joinery/fleet/rack-7');
    mkdirSync(folder, { recursive: true });
    if (status !== undefined) writeFileSync(join(folder, 'status.json'), JSON.stringify(status));
  };

  test.each([['status'], ['pause'], ['undo', '--yes']])(
    'without a rollout, %s is E_FLEET_UNKNOWN',
    async (...words) => {
      expect(await cli(['fleet', ...words], state())).toMatchObject({
        code: 2,
        stderr: expect.stringContaining(
          'E_FLEET_UNKNOWN: no fleet was chosen; fleets of this user on this machine: none',
        ),
      });
    },
  );

  test('without an operator, status shows what the last one has left', async () => {
    const variables = state();
    const progress = new RolloutProgress(
      fakeFleet([fakeHost('w1'), fakeHost('w2')]),
      'rack-7-1',
      '2026-12-01T10:00:00Z',
    );
    progress.decide('2026-12-01T10:00:00Z');
    const error = { code: 'E_FLEET_UNREACHABLE', message: 'cannot reach w1', next: 'Check the address.' };
    progress.record('w1', { state: 'failed', step: 'reach', error, startedAt: '', endedAt: '' });
    progress.decide('2026-12-01T10:00:01Z');
    known(variables, progress.status);
    const { stdout } = await cli(['fleet', 'status'], variables);
    expect(stdout.split('\n')).toEqual([
      'Rollout rack-7-1 paused (1 host failed, and 0 may fail): 1 failed, 0 may fail',
      '… wave 1: 1 failed',
      '· wave 2: 1 waiting',
      'E_FLEET_UNREACHABLE: w1 at reach',
      '  cannot reach w1',
      '  → Check the address.',
      '',
    ]);
    const { stdout: json } = await cli(['fleet', 'status', '--fleet', 'rack-7', '-o', 'json'], variables);
    expect(documentOf('FleetStatus', json)).toMatchObject({ state: 'paused', budget: { failedHosts: 1 } });
  });

  test.each([['resume'], ['retry', 'w1']])('without an operator, %s is E_FLEET_OPERATOR', async (...words) => {
    const variables = state();
    known(variables);
    expect(await cli(['fleet', ...words], variables)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('E_FLEET_OPERATOR: no operator runs for fleet rack-7'),
    });
  });

  test('an undo without a terminal needs --yes', async () => {
    const variables = state();
    known(variables);
    expect(await cli(['fleet', 'undo', '--wave', '2'], variables)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('join fleet undo --fleet rack-7 --wave 2 --yes'),
    });
  });

  test.each([
    [{ JOINERY_RESTATE_SERVER: '/none' }, 'JOINERY_RESTATE_SERVER=/none is not a program'],
    [{ JOINERY_RESTATE: 'localhost:8080' }, 'JOINERY_RESTATE must be the URL of a server, not localhost:8080'],
  ])('a server that cannot be used is E_FLEET_SERVER: %o', async (variables, what) => {
    const outcome = await cli(['fleet', 'run', fileWith(example)], { ...state(), ...variables });
    expect(outcome).toMatchObject({
      code: 6,
      stderr: expect.stringContaining(`E_FLEET_SERVER: fleets need a Restate server: ${what}`),
    });
  });
});
