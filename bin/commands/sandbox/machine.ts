/** A sandbox cluster and a scratch machine, in one temporary folder. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Sandbox } from '../../../plugins/sandbox/index.ts';

export interface Playground {
  sandbox: Sandbox;
  /** The root of the scratch machine, for `--root`. */
  root: string;
  /** The admin kubeconfig, for kubectl. */
  kubeconfig: string;
  /** Arguments of `join run` that join the machine to the cluster. */
  joinArguments: string[];
  /** Stops everything and deletes the folder. */
  close(): Promise<void>;
}

/** The service manager of the scratch machine starts the kubelet with `launcher`, the file of this command. */
export async function openPlayground(launcher: string): Promise<Playground> {
  const { startSandbox } = await import('../../../plugins/sandbox/index.ts');
  const { makeMachine, stopMachine } = await import('../../../plugins/sandbox/machine/machine.ts');
  const { startRuntime } = await import('../../../plugins/sandbox/machine/runtime.ts');
  const folder = await mkdtemp(join(tmpdir(), 'joinery-'));
  const [root, kubeconfig] = [join(folder, 'machine'), join(folder, 'admin.conf')];
  const sandbox = await startSandbox();
  await mkdir(root);
  await makeMachine(root, { hostName: 'worker-1', kubelet: [process.execPath, launcher, 'sandbox', 'kubelet'] });
  const runtime = await startRuntime(root);
  await writeFile(kubeconfig, sandbox.adminKubeconfig, { mode: 0o600 });
  const pin = ['--discovery-token-ca-cert-hash', sandbox.caPin];
  return {
    sandbox,
    root,
    kubeconfig,
    joinArguments: [sandbox.endpoint, '--token', sandbox.token, ...pin, '--root', root],
    async close() {
      await stopMachine(root);
      await runtime.close();
      await sandbox.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
