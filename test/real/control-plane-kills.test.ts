/** A control plane whose join is killed at a random moment. `JOINERY_KILLS=10` repeats it. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MachineCluster, missingMachines } from './control-plane-rig.ts';
import { projectRoot } from './rig.ts';

const command = join(projectRoot, 'bin/join');
const PORT = 18_445;
const JOIN_MS = 16_000;
const kills = Number(process.env.JOINERY_KILLS ?? 1);
const reason = missingMachines();

describe.skipIf(reason)(`killed joins of control planes${reason ? ` (skipped: ${reason})` : ''}`, () => {
  const cluster = new MachineCluster();
  const run = (...args: string[]) => cluster.on('cp2', command, ...args).done;
  const filesLeft = async () => {
    const folders = ['/etc/kubernetes', '/var/lib/etcd', '/var/lib/cni'];
    return (await cluster.on('cp2', 'find', ...folders, '-mindepth', '1').done).stdout;
  };
  /** Kills a join at a random moment. Returns what it had printed by then. */
  const killed = async (): Promise<string> => {
    const joining = cluster.on('cp2', command, ...cluster.joinArguments('control plane'));
    const ms = Math.round(Math.random() * JOIN_MS);
    await sleep(ms);
    joining.kill('SIGKILL');
    const { stdout, stderr } = await joining.done;
    return `killed after ${ms} ms:\n${stdout}${stderr}\n`;
  };
  const hasNoRun = (stderr: string) => stderr.includes('E_RUN_NONE');

  beforeAll(() => cluster.start(['cp2'], PORT));
  afterAll(() => cluster.gone());

  for (let kill = 1; kill <= kills; kill++) {
    test(`kill ${kill}: a resume ends with two voters, and an undo with the members and files of before`, async () => {
      const printed = await killed();
      let resumed = await run('resume');
      if (resumed.code !== 0 && hasNoRun(resumed.stderr))
        resumed = await run(...cluster.joinArguments('control plane'));
      expect(resumed.code, printed + resumed.stdout + resumed.stderr).toBe(0);
      expect(await cluster.members('cp1')).toEqual(['cp1 voter', 'cp2 voter']);
      expect(await cluster.health('198.51.100.12')).toBe('200');
      const undone = await run('undo', '--yes');
      expect(undone.code, printed + undone.stdout + undone.stderr).toBe(0);
      expect(await cluster.members('cp1')).toEqual(['cp1 voter']);
      expect(await filesLeft(), printed + undone.stdout + undone.stderr).toBe('');
      await cluster.kubectl('delete', 'node', 'cp2');
    });

    test(`kill ${kill}: an undo right after it ends with the members and files of before`, async () => {
      const printed = await killed();
      const undone = await run('undo', '--yes');
      if (!hasNoRun(undone.stderr)) expect(undone.code, printed + undone.stdout + undone.stderr).toBe(0);
      expect(await cluster.members('cp1')).toEqual(['cp1 voter']);
      expect(await filesLeft(), printed + undone.stdout + undone.stderr).toBe('');
      await cluster.kubectl('delete', 'node', 'cp2', '--ignore-not-found');
    });
  }
});
