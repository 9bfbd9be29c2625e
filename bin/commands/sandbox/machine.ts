/** A sandbox cluster and a scratch machine, in one temporary folder. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
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

/** The service manager of the scratch machine starts the kubelet with `program`, the words that start this command. */
export async function openPlayground(program: readonly string[]): Promise<Playground> {
  const { startSandbox } = await import('../../../plugins/sandbox/index.ts');
  const { makeMachine } = await import('../../../plugins/sandbox/machine/machine.ts');
  const { startRuntime } = await import('../../../plugins/sandbox/machine/runtime.ts');
  const folder = await mkdtemp(join(tmpdir(), 'joinery-'));
  const cleaner = await startCleaner(folder);
  const [root, kubeconfig] = [join(folder, 'machine'), join(folder, 'admin.conf')];
  const sandbox = await startSandbox();
  await mkdir(root);
  await makeMachine(root, { hostName: 'worker-1', kubelet: [...program, 'sandbox', 'kubelet'] });
  const runtime = await startRuntime(root);
  await writeFile(kubeconfig, sandbox.adminKubeconfig, { mode: 0o600 });
  const pin = ['--discovery-token-ca-cert-hash', sandbox.caPin];
  return {
    sandbox,
    root,
    kubeconfig,
    joinArguments: [sandbox.endpoint, '--token', sandbox.token, ...pin, '--root', root],
    async close() {
      const cleaned = once(cleaner, 'close');
      cleaner.stdin.end();
      await cleaned;
      await runtime.close();
      await sandbox.close();
    },
  };
}

const CLEAN = '"$1/machine/usr/bin/systemctl" stop kubelet; rm -rf -- "$1"';

/**
 * Stops the kubelet and deletes the folder when its standard input ends, which also a SIGKILL of this process brings
 * about. It has a session of its own, so that the signals of the terminal do not reach it.
 */
async function startCleaner(folder: string): Promise<ChildProcessByStdio<Writable, null, null>> {
  const cleaner = spawn('/bin/sh', ['-c', `read -r _; ${CLEAN}`, 'joinery-sandbox', folder], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  await once(cleaner, 'spawn');
  cleaner.unref();
  return cleaner;
}
