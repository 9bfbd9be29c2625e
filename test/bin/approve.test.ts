// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders look like JavaScript templates
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { scratch } from '../helpers/machine.ts';
import { cli, project } from './cli.ts';

const PIPELINE = [
  'apiVersion: joinery.dev/v1',
  'kind: Pipeline',
  'metadata: { name: two-windows }',
  'inputs: { type: object, properties: { who: { type: string } } }',
  'steps:',
  '  - { id: first, approval: { message: "First ${{ inputs.?who.orValue(\'window\') }}?", deadline: 1h } }',
  '  - { id: second, approval: { message: "Second?", deadline: 1h } }',
  'outputs: { said: "${{ steps.second.outputs.by }}: ${{ steps.second.outputs.reason }}" }',
].join('\n');

async function scene() {
  const root = await scratch();
  await mkdir(join(root, 'etc'));
  await mkdir(join(root, 'run'));
  const file = join(root, 'two-windows.yaml');
  await writeFile(file, PIPELINE);
  return { root, run: ['run', '--pipeline', file, '--root', root] };
}
function started(args: readonly string[]) {
  const child = spawn(process.execPath, [join(project, 'bin/join'), ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = once(child, 'exit'); // the process may exit before the test awaits it
  let output = '';
  child.stderr.on('data', (chunk) => {
    output += chunk;
  });
  /** Waits until it has asked for the answer to `step`, and gives the id of its run. */
  const asked = async (step: string): Promise<string> => {
    const question = new RegExp(`join approve (\\S+) ${step}[ )]`);
    for (const from = Date.now(); Date.now() < from + 20_000; await sleep(20)) {
      const [, id] = question.exec(output) ?? [];
      if (id !== undefined) return id;
    }
    throw new Error(`${step} was not asked: ${output}`);
  };
  return { child, asked, exited };
}

/** Seconds of processor time that a process has used. */
async function processorSeconds(pid: number | undefined): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

test('a run waits for its approvals across SIGKILL and a reboot, and keeps each answer', {
  timeout: 60_000,
}, async () => {
  const { root, run } = await scene();
  const first = started(run);
  const id = await first.asked('first');
  first.child.kill('SIGKILL');
  await first.exited;
  await rm(join(root, 'run/joinery'), { recursive: true }); // what a reboot leaves of tmpfs

  const details = await cli(['runs', 'show', '--root', root]);
  expect(details.stdout).toMatch(/approval: First window\?\n {4}waits until .*: bin\/join approve \S+ first --root/);
  expect((await cli(['runs', '--root', root])).stdout).toMatch(
    new RegExp(`interrupted .* bin/join resume ${id} --root`),
  );
  const wrong = await cli(['approve', id, 'second', '--root', root]);
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('E_APPROVAL_NONE')]);

  const second = started(['resume', '--root', root]);
  expect(await second.asked('first')).toBe(id);
  const yes = await cli(['approve', id.slice(0, 18), 'first', '--reason', 'change 4711', '--root', root]);
  expect(yes).toMatchObject({ code: 0, stdout: `Step first of run ${id} is approved.\n` });
  await second.asked('second');
  expect((await cli(['runs', '--root', root])).stdout).toMatch(
    new RegExp(`waiting for an approval \\(pid \\d+\\) .* bin/join approve ${id} second --root`),
  );
  await writeFile(join(root, 'run/joinery', id, 'approval.second'), 'approve from a script\n');
  const [code] = await second.exited;
  expect(code).toBe(0);
  expect((await cli(['runs', 'show', '--root', root])).stdout).toMatch(
    /approved by \S+ \(command\) .*: change 4711\n[\s\S]*approved by root \(file\) .*: from a script/,
  );
  expect(await readdir(join(root, 'run'))).toEqual([]);
});

test('a run that waits for an approval uses no processor time, and a denial stops it', {
  timeout: 60_000,
}, async () => {
  const { root, run } = await scene();
  const waiting = started(run);
  const id = await waiting.asked('first');
  await sleep(500); // what it still had to do
  const before = await processorSeconds(waiting.child.pid);
  await sleep(5_000);
  expect((await processorSeconds(waiting.child.pid)) - before).toBeLessThanOrEqual(0.03);
  await cli(['approve', id, 'first', '--deny', '--reason', 'not today', '--root', root]);
  const [code] = await waiting.exited;
  expect(code).toBe(8);
});

test('a dry run prints the question of an approval, and no outputs that only a run has', async () => {
  const { root, run } = await scene();
  const { code, stdout } = await cli([...run, '--who', 'gate', '--dry-run']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/first: Wait for an approval\n {4}would ask, for 1h: First gate\?/);
  expect(await readdir(root)).toEqual(['etc', 'run', 'two-windows.yaml']);
});
