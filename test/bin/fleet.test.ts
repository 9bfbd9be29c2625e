import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { atEnd } from '../helpers/endings.ts';
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
