import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { kubeAccess } from '../../../engine/kube/access.ts';
import { scratch } from '../../helpers/machine.ts';

describe('facts of a machine', () => {
  test('the facts of a machine are its name as in kubeadm, architecture, distribution and privilege', async () => {
    const root = await scratch();
    await mkdir(join(root, 'etc'));
    await writeFile(join(root, 'etc/hostname'), ' Worker-1\n');
    await writeFile(join(root, 'etc/os-release'), 'PRETTY_NAME="Debian"\nVERSION_ID="12"\nID=debian\n');
    const { realHost } = await import('../../../engine/host/real.ts');
    const host = await realHost(root, { access: kubeAccess });
    onTestFinished(() => host.close());
    const architecture = { x64: 'amd64', ia32: '386' }[process.arch as string] ?? process.arch;
    expect(host.facts).toEqual({ name: 'worker-1', privileged: true, architecture, distribution: 'debian' });
  });
});
