import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { cli, start } from '../bin/cli.ts';

const TIMEOUT_MS = 30_000;

async function until<T>(find: () => Promise<T | undefined>): Promise<T> {
  for (const end = Date.now() + TIMEOUT_MS; ; ) {
    const found = await find();
    if (found !== undefined) return found;
    expect(Date.now(), 'it takes too long').toBeLessThan(end);
    await sleep(50);
  }
}

/** The processes whose command line names the folder. */
async function processesOf(folder: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return lines.filter((line) => line.includes(folder)).map((line) => line.replaceAll('\0', ' '));
}

/** The command with a folder of its own for temporary files. */
async function started(command: 'up' | 'demo') {
  const folder = await mkdtemp(join(tmpdir(), 'ends-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const { child } = start(['sandbox', command], { TMPDIR: folder });
  onTestFinished(() => void child.kill('SIGKILL'));
  const kubelet = async () => {
    for (const name of await readdir(folder)) {
      const pid = await readFile(join(folder, name, 'machine/run/kubelet.pid'), 'utf8').catch(() => '');
      if (pid !== '') return Number(pid);
    }
    return undefined;
  };
  let text = '';
  child.stdout.on('data', (bytes) => (text += bytes));
  return { child, folder, kubelet, printed: (what: RegExp) => until(async () => what.exec(text) ?? undefined) };
}

const nothingIsLeft = (folder: string, pid?: number) =>
  until(async () => {
    const isGone = pid === undefined || !existsSync(`/proc/${pid}`);
    return (await readdir(folder)).length === 0 && isGone && (await processesOf(folder)).length === 0
      ? true
      : undefined;
  });

describe('the sandbox', { timeout: 4 * TIMEOUT_MS }, () => {
  test.each(['SIGTERM', 'SIGHUP', 'SIGKILL'] as const)(
    'the sandbox leaves no file and no process after %s, with a kubelet that runs',
    async (signal) => {
      const { child, folder, kubelet, printed } = await started('up');
      const [, args = ''] = await printed(/run (.* --root \S+)\n[\s\S]*Ctrl-C/);
      expect(await cli(['run', ...args.split(' ')])).toMatchObject({ code: 0 });
      const pid = await until(kubelet);
      expect(existsSync(`/proc/${pid}`)).toBe(true);
      child.kill(signal);
      await nothingIsLeft(folder, pid);
    },
  );

  test.each(['SIGHUP', 'SIGKILL'] as const)(
    'the sandbox leaves nothing of a demo after %s while its kubelet starts',
    async (signal) => {
      const { child, folder, kubelet } = await started('demo');
      const pid = await until(kubelet);
      child.kill(signal);
      await nothingIsLeft(folder, pid);
    },
  );
});
