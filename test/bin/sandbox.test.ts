/** The flags of `join sandbox up`, which let waits, approvals and failures be tried without a cluster. */
import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, expect, test } from 'vitest';
import { openPlayground, type Playground, type PlaygroundOptions } from '../../bin/commands/sandbox/machine.ts';
import { FAILURE_NAMES } from '../../plugins/sandbox/failure-names.ts';
import { cli, project, start } from './cli.ts';

const launcher = join(project, 'bin/join.cjs');
const opened: Playground[] = [];
const open = async (options: PlaygroundOptions): Promise<Playground> => {
  const playground = await openPlayground([process.execPath, launcher], options);
  opened.push(playground);
  return playground;
};
afterEach(async () => {
  for (const playground of opened.splice(0)) await playground.close();
});

/** The failed steps of a JSON result: checks that run at the same time may fail for the same cause. */
const failedSteps = (stdout: string): string[] =>
  (JSON.parse(stdout) as { steps: { id: string; status: string }[] }).steps
    .filter(({ status }) => status === 'failed')
    .map(({ id }) => id);

/** The first failed step of a JSON result. */
const failedStep = (stdout: string): string | undefined =>
  (JSON.parse(stdout) as { error?: { step?: string } }).error?.step;

/** A dry run meets the causes of these failures, too. */
const REAL_RUN: readonly string[] = ['tls-bootstrap', 'kubelet-start', 'node-ready'];

test.each(FAILURE_NAMES.filter((name) => !REAL_RUN.includes(name)))(
  'sandbox up --fail %s lets a dry run fail in this step, until the cause is fixed',
  { timeout: 60_000 },
  async (name) => {
    const { joinArguments, failures } = await open({ fail: [name] });
    const dry = ['run', ...joinArguments, '--dry-run', '--output', 'json'];
    expect(failedSteps((await cli(dry)).stdout)).toContain(name);
    const fix = /To fix it: (.*)$/.exec(failures[0] ?? '')?.[1];
    if (fix !== undefined) await promisify(execFile)('/bin/sh', ['-c', fix]);
    expect(failedSteps((await cli(dry)).stdout)).toEqual([]);
  },
);

test.each(REAL_RUN as typeof FAILURE_NAMES)(
  'sandbox up --fail %s lets a join fail in this step, and a resume succeeds',
  { timeout: 60_000 },
  async (name) => {
    const { joinArguments, root, failures } = await open({ fail: [name] });
    expect(failures).toEqual([expect.stringMatching(new RegExp(`^Step ${name} will fail, because .*only once\\.$`))]);
    expect(failedStep((await cli(['run', ...joinArguments, '--output', 'json'])).stdout)).toBe(name);
    const { code, stderr } = await cli(['resume', '--root', root]);
    expect(code, stderr).toBe(0);
  },
);

test('sandbox up --approve manual approves requests while its file exists', { timeout: 60_000 }, async () => {
  const { joinArguments, approvalFile = '', sandbox } = await open({ approve: 'manual', kubernetesVersion: '1.20' });
  const { child, outcome } = start(['run', ...joinArguments]);
  let said = '';
  await new Promise<void>((resolve) => {
    child.stderr.on('data', (chunk) => {
      said += String(chunk);
      if (said.includes('kubectl certificate approve')) resolve();
    });
  });
  await writeFile(approvalFile, '');
  expect((await outcome).code).toBe(0);
  expect(sandbox.store.get('nodes', 'worker-1')?.status).toMatchObject({ nodeInfo: { kubeletVersion: 'v1.20.2' } });
  await rm(approvalFile);
  await expect.poll(() => sandbox.autoApprove).toBe(false);
});

test('sandbox up --slow delays every answer of the API server and the start of the kubelet', async () => {
  const { joinArguments } = await open({ pace: 'slow' });
  const { durationMs } = JSON.parse((await cli(['run', ...joinArguments, '--output', 'json'])).stdout) as {
    durationMs: number;
  };
  expect(durationMs).toBeGreaterThan(8_000 + 1_500); // the kubelet, and an answer before it
}, 60_000);
