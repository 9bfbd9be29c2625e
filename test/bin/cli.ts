/** Runs the built command, in this process or in its own, on a scratch machine against a sandbox in this process. */
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../plugins/sandbox/index.ts';
import { makeMachine } from '../../plugins/sandbox/machine/machine.ts';
import { startRuntime } from '../../plugins/sandbox/machine/runtime.ts';
import { DEFAULT_PROFILE, type Profile, profiles } from '../../plugins/sandbox/profile.ts';
import { atEnd } from '../helpers/endings.ts';
import { type Outcome, runHere } from './in-process.ts';

export type { Outcome };

export const project = fileURLToPath(new URL('../..', import.meta.url));
const launcher = join(project, 'bin/join');

/** Starts the command in a process of its own, for tests of signals, terminals, processes and exits. */
export function start(args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [launcher, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const outcome = (async (): Promise<Outcome> => {
    const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
    return { code: code as number | null, stdout, stderr };
  })();
  return { child, outcome };
}

/** Runs the command in this process. */
export const cli: (args: readonly string[], env?: Record<string, string>) => Promise<Outcome> = runHere;

export interface Scene {
  sandbox: Sandbox;
  root: string;
  /** The given words, and the arguments for this cluster and machine. */
  args(...words: string[]): string[];
  tree(): Promise<Record<string, string>>;
}

/** A cluster and an empty machine, which the end of the test (or of the file, in `beforeAll`) removes. */
export async function scene(options: SandboxOptions = {}): Promise<Scene> {
  const sandbox = await startSandbox(options);
  atEnd(() => sandbox.close());
  const folder = await mkdtemp(join(tmpdir(), 'join-'));
  atEnd(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  const root = join(folder, 'm');
  await mkdir(root);
  const { gitVersion: kubeletVersion, cgroupDriver }: Profile = profiles[options.profile ?? DEFAULT_PROFILE];
  const kubelet = [process.execPath, launcher, 'sandbox', 'kubelet'];
  await makeMachine(root, { hostName: 'w1', kubelet, kubeletVersion });
  const runtime = await startRuntime(root, { cgroupDriver: cgroupDriver ?? 'cgroupfs' });
  atEnd(() => runtime.close());
  atEnd(() => killKubelet(root));
  const pin = ['--discovery-token-ca-cert-hash', sandbox.caPin];
  return {
    sandbox,
    root,
    args: (...words) => [...words, sandbox.endpoint, '--token', sandbox.token, ...pin, '--root', root],
    tree: () => treeOf(root),
  };
}

/** Kills the kubelet with the shell around it. `systemctl stop` would take a tenth of a second and ten processes. */
async function killKubelet(root: string): Promise<void> {
  const pid = Number(await readFile(join(root, 'run/kubelet.pid'), 'utf8').catch(() => 0));
  if (pid === 0) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {} // it has ended
}

/** Mode and digest of every path that a join may touch, except Joinery's own records. */
async function treeOf(root: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const folder of ['etc', 'var/lib', 'run'])
    for (const name of await readdir(join(root, folder), { recursive: true })) {
      const path = join(folder, name);
      const stats = await lstat(join(root, path));
      const mode = (stats.mode & 0o7777).toString(8).padStart(4, '0');
      if (path === 'run/kubelet.pid' || path.startsWith('var/lib/joinery/') || stats.isDirectory()) continue;
      if (stats.isSymbolicLink()) found[`/${path}`] = `→ ${await readlink(join(root, path))}`;
      else if (stats.isFile())
        found[`/${path}`] = `${mode} ${createHash('sha256')
          .update(await readFile(join(root, path)))
          .digest('hex')
          .slice(0, 16)}`;
    }
  return found;
}

export const modesOf = (tree: Record<string, string>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(tree).map(([path, entry]) => [path, entry.startsWith('→') ? 'link' : entry.slice(0, 4)]),
  );

/**
 * Puts a pipe where kubelet-config writes a file, which no check before it looks for. The returned function removes it.
 */
export async function obstruct(root: string): Promise<() => Promise<void>> {
  const obstacle = join(root, 'var/lib/kubelet/kubeadm-flags.env');
  await mkdir(dirname(obstacle), { recursive: true });
  await promisify(execFile)('mkfifo', [obstacle]);
  return () => rm(obstacle);
}
