/** What a user at a terminal sees; `script` creates the terminal. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { scratch } from '../helpers/machine.ts';
import { cli, obstruct, project, scene } from './cli.ts';

const noScript = spawnSync('script', ['--version']).status !== 0;

/** Types each answer after its question. CI is unset, as on the machine of a user. */
async function typed(args: readonly string[], answers: readonly [question: string, answer: string][]) {
  const { CI: _, ...env } = process.env;
  const command = [process.execPath, join(project, 'bin/join'), ...args].map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['-qec', command, '/dev/null'], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  let screen = '';
  const left = [...answers];
  child.stdout.on('data', (chunk: Buffer) => {
    screen += chunk.toString();
    const [question, answer] = left[0] ?? [];
    if (question !== undefined && screen.includes(question)) {
      left.shift();
      child.stdin.write(`${answer}\n`);
    }
  });
  const [code] = (await once(child, 'exit')) as [number];
  expect(left, screen).toEqual([]);
  return { code, screen: screen.replace(COLOURS, '') };
}
const COLOURS = /\u001b\[\d+m/g;

describe.skipIf(noScript)(`at a terminal${noScript ? ' (skipped: there is no script(1) here)' : ''}`, () => {
  test('join undo prints its plan, asks, and does nothing without a yes', { timeout: 60_000 }, async () => {
    const { args, root, tree } = await scene();
    const before = await tree();
    expect((await cli(args('run'))).code).toBe(0);
    const joined = await tree();
    const no = await typed(['undo', '--root', root], [['[y/N]', 'no']]);
    expect(no.screen).toMatch(/delete \/etc\/kubernetes\/kubelet\.conf[\s\S]*Nothing was changed/);
    expect(await tree()).toEqual(joined);
    const yes = await typed(['undo', '--root', root], [['[y/N]', 'y']]);
    expect([yes.code, yes.screen]).toEqual([0, expect.stringContaining('is undone.')]);
    expect(await tree()).toEqual(before);
  });

  test('join run prints the approval command in one line, however narrow the terminal is', {
    timeout: 60_000,
  }, async () => {
    const { args, sandbox } = await scene({ autoApprove: false });
    const joining = typed(args('run'), []);
    const csr = await vi.waitFor(() => {
      const [found] = sandbox.store.list('certificatesigningrequests');
      if (found === undefined) throw new Error('no request yet');
      return found;
    }, 20_000);
    await sleep(300);
    sandbox.autoApprove = true; // an administrator approves it
    const { code, screen } = await joining;
    expect([code, screen]).toEqual([
      0,
      expect.stringContaining(`    kubectl certificate approve ${csr.metadata.name}\r\n`),
    ]);
  });

  test('a failed run offers to undo its changes', { timeout: 60_000 }, async () => {
    const { args, root, tree } = await scene();
    await obstruct(root);
    const before = await tree();
    const { code, screen } = await typed(args('run'), [['Undo the changes of this run? [y/N]', 'y']]);
    expect([code, screen]).toEqual([6, expect.stringContaining('E_FILE in step kubelet-config')]);
    expect(await tree()).toEqual(before);
  });

  test('join resume asks for the token that a reboot deleted, without an echo', { timeout: 60_000 }, async () => {
    const { args, root, sandbox } = await scene();
    const clear = await obstruct(root);
    expect((await cli(args('run'))).code).toBe(6);
    await clear();
    await rm(join(root, 'run/joinery'), { recursive: true });
    const { code, screen } = await typed(['resume', '--root', root], [['token of run', sandbox.token]]);
    expect([code, screen]).toEqual([0, expect.stringContaining('join-worker succeeded')]);
    expect(screen).not.toContain(sandbox.token);
  });

  test('a run asks for an approval below the list of steps', async () => {
    const root = await scratch();
    const file = join(root, 'ask.yaml');
    const step = '- { id: ask, approval: { message: "Continue?", deadline: 1h } }';
    const lines = ['apiVersion: joinery.dev/v1', 'kind: Pipeline', 'metadata: { name: asks }', 'steps:', step];
    await writeFile(file, `${lines.join('\n')}\noutputs: { said: "\${{ steps.ask.outputs.reason }}" }\n`);
    const { code, screen } = await typed(
      ['run', '--pipeline', file, '--root', root],
      [
        ['Continue? [yes/no]', 'yes'],
        ['Reason:', 'because'],
      ],
    );
    expect([code, screen]).toEqual([0, expect.stringContaining('said = because')]);
  });
});
