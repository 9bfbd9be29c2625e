import { expect, test } from 'vitest';
import { cli, obstruct, scene } from './cli.ts';

test('a repeated run and a resume accept other time limits, and continue the same run', {
  timeout: 60_000,
}, async () => {
  const { args, root } = await scene();
  const clear = await obstruct(root);
  const run = (...words: string[]) => cli(args('run', '--ignore-preflight-errors=WritablePaths', ...words));
  expect((await run()).stderr).toContain('E_FILE in step kubelet-config');
  const again = await run('--tls-bootstrap-timeout', '6m');
  expect([again.code, again.stderr]).toEqual([6, expect.stringContaining('Resuming run')]);
  await clear();
  const resumed = await cli(['resume', '--kubelet-health-check-timeout', '3m', '--output', 'jsonl', '--root', root]);
  expect(resumed.code, resumed.stderr).toBe(0);
  const waits = resumed.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const { at, until } = waits.find(({ type, step }) => type === 'step.wait' && step === 'kubelet-start');
  expect((Date.parse(until) - Date.parse(at)) / 60_000).toBeCloseTo(3, 0);
});
