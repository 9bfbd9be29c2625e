/** Control planes join a real cluster: two at the same moment, one of them killed and resumed, and then undone. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MachineCluster, missingMachines } from './control-plane-rig.ts';
import { projectRoot } from './rig.ts';

const command = join(projectRoot, 'bin/join');
const PORT = 18_443;
const reason = missingMachines();

describe.skipIf(reason)(`control planes on real machines${reason ? ` (skipped: ${reason})` : ''}`, () => {
  const cluster = new MachineCluster();
  const run = (machine: string, ...args: string[]) => cluster.on(machine, command, ...args);
  const must = async (machine: string, ...args: string[]): Promise<void> => {
    const { code, stdout, stderr } = await run(machine, ...args).done;
    expect(code, `${machine}: ${stdout}${stderr}`).toBe(0);
  };
  const filesOf = async (machine: string): Promise<string> => {
    const folders = ['/etc/kubernetes', '/var/lib/etcd', '/var/lib/cni'];
    return (await cluster.on(machine, 'find', ...folders, '-mindepth', '1').done).stdout;
  };

  beforeAll(() => cluster.start(['cp2', 'cp3'], PORT));
  afterAll(() => cluster.gone());

  test('cp2 and cp3 start at the same moment, one is killed and resumed, and both become voters', async () => {
    const joins = cluster.joinArguments('control plane');
    const killed = run('cp3', ...joins);
    const other = must('cp2', ...joins);
    await sleep(12_000);
    killed.kill('SIGKILL');
    await killed.done;
    // etcd takes in one learner after the other: cp2 may have to wait for that of cp3.
    const resumed = run('cp3', 'resume').done.then(async ({ code, stdout, stderr }) => {
      if (code === 0) return;
      expect(stdout + stderr).toContain('E_RUN_NONE'); // it was killed before its first change
      await must('cp3', ...joins);
    });
    await Promise.all([other, resumed]);
    expect(await cluster.members('cp1')).toEqual(['cp1 voter', 'cp2 voter', 'cp3 voter']);
    for (const address of ['198.51.100.11', '198.51.100.12', '198.51.100.13'])
      expect([address, await cluster.health(address)]).toEqual([address, '200']);
  });

  test('an undo of cp3 leaves two voters, no file of a control plane, and a cluster that takes writes', async () => {
    const runs = (await run('cp3', 'runs').done).stdout;
    const undone = await run('cp3', 'undo', '--yes').done;
    expect(undone.code, undone.stderr).toBe(0);
    expect(await cluster.members('cp1')).toEqual(['cp1 voter', 'cp2 voter']);
    expect(await filesOf('cp3'), `${runs}${undone.stdout}${undone.stderr}`).toBe('');
    await cluster.kubectl('create', 'configmap', 'after-undo');
    await cluster.kubectl('delete', 'node', 'cp3');
  });

  test('cp3, which the real kubeadm has joined, is reset: two voters, no file of it, and writes', async () => {
    const joined = await cluster.on('cp3', ...cluster.kubeadmJoin()).done;
    expect(joined.code, joined.stdout + joined.stderr).toBe(0);
    expect(await cluster.members('cp1')).toEqual(['cp1 voter', 'cp2 voter', 'cp3 voter']);
    const planned = await run('cp3', 'reset', '--dry-run').done;
    expect([planned.code, planned.stdout]).toEqual([0, expect.stringMatching(/remove the member https:\S+ from etcd/)]);
    expect(await cluster.members('cp1')).toHaveLength(3);
    await must('cp3', 'reset', '--yes');
    expect(await cluster.members('cp1')).toEqual(['cp1 voter', 'cp2 voter']);
    expect(await filesOf('cp3')).not.toMatch(/\.(yaml|conf|crt|key|pub)$|member/m);
    expect(await cluster.health('198.51.100.13')).toBe('000');
    await cluster.kubectl('create', 'configmap', 'after-reset');
    await cluster.kubectl('delete', 'node', 'cp3');
  });

  test('cp3 joins again, and then the cluster takes writes without cp1', async () => {
    await must('cp3', ...cluster.joinArguments('control plane'));
    await cluster.powerOff('cp1');
    let written = false;
    for (let tries = 0; tries < 30 && !written; tries++) {
      written = await cluster.kubectl('create', 'configmap', `without-cp1-${tries}`).then(
        () => true,
        () => sleep(1_000, false),
      );
    }
    expect(written).toBe(true);
    const { code, stdout, stderr } = await run('cp3', 'undo', '--yes').done;
    expect([code, stdout + stderr]).toEqual([
      expect.any(Number),
      expect.stringContaining('etcd would lose its quorum'),
    ]);
    expect(await cluster.members('cp2')).toEqual(['cp1 voter', 'cp2 voter', 'cp3 voter']);
  });
});
