/** A real cluster and real machines in a temporary folder, through the scripts of `../shared/kube` (see its README). */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { launch, must, type Options } from './command.ts';

export const projectRoot = resolve(import.meta.dirname, '../..');
const rig = resolve(projectRoot, '../shared/kube');
const logs = '/var/log/pods'; // of all machines of this host
const kubeletPort = 10250; // all kubelets of this host share it: one at a time

export type Cluster = Awaited<ReturnType<typeof startCluster>>;
export type Machine = Awaited<ReturnType<typeof startMachine>>;

/** State of this process: its temporary folder, the environment of its commands, and the functions that clean up. */
let scratch: { dir: string; env: Record<string, string>; undo: Set<() => Promise<void>> } | undefined;

/** Reason why the real tests cannot run here; undefined if they can. */
export function missing(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    return 'it needs root on Linux, for namespaces and mounts';
  if (!existsSync(join(rig, 'unpack'))) return 'the rig ../shared/kube is not beside this checkout';
  const path = [process.env.KUBEBUILDER_ASSETS ?? '', ...(process.env.PATH ?? '').split(delimiter)];
  const tools = 'etcd kubectl containerd ctr runc ip iptables conntrack gcc curl openssl'.split(' ');
  const absent = tools.filter((tool) => !path.some((folder) => existsSync(join(folder, tool))));
  if (absent.length > 0) return `not on PATH: ${absent.join(', ')}`;
  if (taken(kubeletPort)) return 'port 10250 is taken: another kubelet runs on this host';
  return undefined;
}

/** Whether something listens on that TCP port of this host. */
function taken(port: number): boolean {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const listening = new RegExp(`^ *\\d+: [0-9A-F]+:${hex} [0-9A-F:]+ 0A`, 'm'); // 0A is LISTEN
  return ['/proc/net/tcp', '/proc/net/tcp6'].some((file) => listening.test(read(file)));
}

/** Creates the temporary folder of this process, with a folder of binaries and one of stand-ins. */
async function prepare(): Promise<NonNullable<typeof scratch>> {
  if (scratch) return scratch;
  const reason = missing();
  if (reason) throw new Error(`no real cluster: ${reason}`);
  const unpacked = (await must([join(rig, 'unpack')])).trim();
  const dir = mkdtempSync(join(tmpdir(), 'joinery-real-'));
  const [bin, shim] = [join(dir, 'bin'), join(dir, 'shim')];
  for (const folder of [bin, shim]) mkdirSync(folder);
  const assets = process.env.KUBEBUILDER_ASSETS;
  for (const source of assets ? [resolve(assets), unpacked] : [unpacked])
    for (const name of readdirSync(source))
      if (!existsSync(join(bin, name))) symlinkSync(join(source, name), join(bin, name));
  symlinkSync(join(rig, 'systemctl'), join(shim, 'systemctl'));
  symlinkSync(join(import.meta.dirname, 'journalctl'), join(shim, 'journalctl'));
  scratch = {
    dir,
    env: { KUBE_BIN: bin, PATH: [shim, bin, process.env.PATH ?? ''].join(delimiter) },
    undo: new Set(),
  };
  return scratch;
}

interface ClusterOptions {
  port?: number;
  /** Instead of those that turn NodeRestriction on. */
  apiserverArgs?: string;
}

/** Starts the control plane on `port` (and the three after it), or on free ports, with a random token. */
export async function startCluster({ port = freePorts(4), apiserverArgs }: ClusterOptions = {}) {
  const { dir, env, undo } = await prepare();
  const home = join(dir, `cluster-${port}`);
  const token = `${randomBytes(3).toString('hex')}.${randomBytes(8).toString('hex')}`;
  const stop = async () => {
    await down(home);
    undo.delete(stop);
  };
  undo.add(stop);
  const variables = { JOIN_TOKEN: token, ...(apiserverArgs === undefined ? {} : { APISERVER_ARGS: apiserverArgs }) };
  const printed = await must([join(rig, 'up'), home, String(port)], { env: { ...env, ...variables } });
  const value = (key: string) => new RegExp(`^${key}=(.*)$`, 'm').exec(printed)?.[1] ?? '';
  const adminKubeconfig = value('ADMIN_KUBECONFIG');
  const kubectl = (args: readonly string[], input = '') =>
    must(['kubectl', '--kubeconfig', adminKubeconfig, ...args], { env, input, timeoutMs: 60_000 });
  return { server: value('SERVER'), token, caHash: value('CA_HASH'), adminKubeconfig, kubectl, stop };
}

/** Starts a machine with a containerd of its own; the name becomes its hostname. */
export async function startMachine(name: string) {
  const { dir, env, undo } = await prepare();
  const [nodes, cri] = [join(dir, 'nodes'), join(dir, `cri-${name}`)];
  const socket = join(cri, 'containerd.sock');
  const bridge = String(100 + (Number(/\d+$/.exec(name)?.[0] ?? 0) % 150));
  const path = (inside: string) => join(nodes, name, inside);
  const start = (argv: readonly string[], options: Options = {}) =>
    launch([join(rig, 'node'), nodes, name, ...argv], { ...options, env: { ...env, ...options.env } });
  const run = (argv: readonly string[], options?: Options) => start(argv, options).done;
  const stopKubelet = async () => {
    const service = readNumber(path('/var/lib/kubelet/.service/pid'));
    await run(['systemctl', 'stop', 'kubelet']);
    if (service) await ended([service]);
    for (let tries = 0; taken(kubeletPort) && tries < 100; tries++) await sleep(100);
  };
  const gone = async () => {
    await stopKubelet();
    const ctr = ['ctr', '-a', socket, '-n', 'k8s.io', 'tasks'];
    const tasks = (await run([...ctr, 'ls', '-q'])).stdout.split('\n').filter(Boolean);
    if (tasks.length > 0) await run([...ctr, 'rm', '-f', ...tasks]);
    await down(cri);
    for (const uid of list(path('/var/lib/kubelet/pods')))
      for (const pod of list(logs).filter((folder) => folder.endsWith(`_${uid}`)))
        rmSync(join(logs, pod), { recursive: true });
    await launch(['ip', 'link', 'del', `cni${bridge}`]).done;
    await must([join(rig, 'node'), nodes, name, '--gone']);
    rmSync(cri, { recursive: true, force: true });
    undo.delete(gone);
  };
  /** The process of the kubelet itself, below the service manager's loop. */
  const kubeletPid = () => {
    const service = readNumber(path('/var/lib/kubelet/.service/pid'));
    return service ? readNumber(`/proc/${service}/task/${service}/children`) : undefined;
  };
  undo.add(gone);
  await must([join(rig, 'node'), nodes, name, join(rig, 'cri'), cri, bridge]);
  // The stand-in creates its folder on first use, which must not happen during a test.
  await run(['systemctl', 'is-active', 'kubelet']);
  return { name, socket, path, start, run, kubeletPid, stopKubelet, gone };
}

/** Removes everything that this process created, newest first. */
export async function cleanUp(): Promise<void> {
  if (!scratch) return;
  for (const undo of [...scratch.undo].reverse()) await undo().catch((error) => console.error(error));
  if (scratch.undo.size > 0) throw new Error(`not everything could be taken away: see ${scratch.dir}`);
  await launch(['umount', join(scratch.dir, 'nodes/.ns')]).done;
  rmSync(scratch.dir, { recursive: true, force: true });
  scratch = undefined;
}

/** Stops the processes that `up` or `cri` started in the folder, and waits until they have exited. */
async function down(dir: string): Promise<void> {
  const pids = list(dir).flatMap((file) => (file.endsWith('.pid') ? (readNumber(join(dir, file)) ?? []) : []));
  await must([join(rig, 'down'), dir]);
  await ended(pids);
}

async function ended(pids: readonly number[]): Promise<void> {
  const runs = (pid: number) => /^\d+ .*\) [^Z]/.test(read(`/proc/${pid}/stat`));
  for (let tries = 0; pids.some(runs); tries++) {
    if (tries === 100) for (const pid of pids.filter(runs)) process.kill(pid, 'SIGKILL');
    await sleep(100);
  }
}

function freePorts(count: number): number {
  let first = 17443;
  while (Array.from({ length: count }, (_, index) => first + index).some(taken)) first += count;
  return first;
}

/** The text of a file that may disappear at any time, such as those of processes; empty if it does not exist. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function list(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

function readNumber(file: string): number | undefined {
  return Number.parseInt(read(file), 10) || undefined;
}

/** The folder of the real programs, for tests that need no cluster. */
export const unpackedPrograms = async (): Promise<string> => (await must([join(rig, 'unpack')])).trim();

/** Reason why tests that need only the real programs cannot run here; undefined if they can. */
export const missingPrograms = (): string | undefined =>
  existsSync(join(rig, 'unpack')) ? undefined : 'the rig ../shared/kube is not beside this checkout';
