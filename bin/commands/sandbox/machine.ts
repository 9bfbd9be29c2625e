/** A sandbox cluster with a scratch machine beside it, in one folder. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Sandbox } from '../../../plugins/sandbox/index.ts';

export interface Playground {
  sandbox: Sandbox;
  /** The scratch machine's root, for `--root`. */
  root: string;
  /** Of the cluster's admin, for kubectl. */
  kubeconfig: string;
  /** What `join run` takes to join it. */
  joinArguments: string[];
  /** Ends all that runs there and removes the folder. */
  close(): Promise<void>;
}

/** `launcher` is this command's own file: the scratch machine's service manager starts the stand-in kubelet by it. */
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
