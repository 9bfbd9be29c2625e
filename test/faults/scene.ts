/** A scratch machine and its cluster, with the faults that a row of the table adds. */
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Host } from '../../engine/host/host.ts';
import { type Fault as ApiFault, type Sandbox, startSandbox } from '../../plugins/sandbox/index.ts';
import { type Kubelet, startKubelet } from '../../plugins/sandbox/machine/kubelet.ts';
import { makeMachine } from '../../plugins/sandbox/machine/machine.ts';
import { type RuntimeOptions, startRuntime } from '../../plugins/sandbox/machine/runtime.ts';
import { type ProfileName, profiles } from '../../plugins/sandbox/profile.ts';
import { type DiskFault, failOnDisk, repairDisk } from './failing-fs.ts';
import { type Fault, REQUESTS, type RequestName } from './fault.ts';

/** In memory if possible, because the tests create and delete hundreds of machines. */
const scratch = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

export class Scene {
  readonly sandbox: Sandbox;
  readonly root: string;
  /** Values of the pipeline's inputs. */
  values: Record<string, unknown>;
  onFailure: 'keep' | 'undo' = 'keep';
  machineAheadMs = 0;
  readonly cancel = new AbortController();
  /** Around the host of every run. */
  wrap: (host: Host) => Host = (host) => host;
  /** The kubelet does something once it is started. */
  kubeletRuns = true;
  /** Its programs are started, and not only asked what they would say. */
  hasPrograms = false;
  /** When a limit has passed that a fault was to reach. */
  limitPassedAt: number | undefined;
  /** Faults that were added, and those of them that something has met. */
  added = 0;
  readonly met = new Set<object>();
  #runtime: { close(): Promise<void> } | undefined;
  #kubeletEnds = new AbortController();
  kubelet: Promise<Kubelet | undefined> = Promise.resolve(undefined);

  constructor(sandbox: Sandbox, root: string) {
    this.sandbox = sandbox;
    this.root = root;
    this.values = {
      endpoint: sandbox.endpoint,
      token: sandbox.token,
      discoveryTokenCaCertHash: [sandbox.caPin],
    };
  }

  /** Puts a fault in the way of one of the join's requests. */
  at(request: RequestName, fault: ApiFault): void {
    const { step: _, ...where } = REQUESTS[request];
    this.#add((onTriggered) => this.sandbox.faults.add({ ...where, ...fault, onTriggered }), fault.onTriggered);
  }

  onDisk(fault: Omit<DiskFault, 'root'>): void {
    this.#add((onTriggered) => failOnDisk({ ...fault, root: this.root, onTriggered }));
  }

  clearFaults(): void {
    this.sandbox.faults.clear();
    repairDisk(this.root);
  }

  /** Replaces a program of the machine by a shell script. */
  async program(name: string, script: string): Promise<void> {
    const path = join(this.root, 'usr/bin', name);
    await rm(path, { force: true });
    await writeFile(path, `#!/bin/sh\n${script}\n`);
    await chmod(path, 0o755);
  }

  async lay(path: string, content: string | Buffer, mode = 0o644): Promise<void> {
    await mkdir(join(this.root, path, '..'), { recursive: true });
    await writeFile(join(this.root, path), content, { mode });
  }

  async startKubelet(): Promise<void> {
    await this.lay(STATE, 'active\n');
    if (!this.kubeletRuns) return;
    const now = () => new Date(Date.now() + this.machineAheadMs);
    const { signal } = this.#kubeletEnds;
    this.kubelet = startKubelet({ root: this.root, now, signal }).catch(async () => {
      await this.lay(STATE, 'failed\n');
      return undefined;
    });
  }

  /** Replaces the running runtime. */
  async startRuntime(options: RuntimeOptions = {}): Promise<void> {
    await this.stopRuntime();
    this.#runtime = await startRuntime(this.root, options);
  }

  async stopRuntime(): Promise<void> {
    await this.#runtime?.close();
    this.#runtime = undefined;
  }

  async stopKubelet(): Promise<void> {
    this.#kubeletEnds.abort();
    this.#kubeletEnds = new AbortController();
    await (await this.kubelet)?.close();
    await this.lay(STATE, 'inactive\n');
    this.kubelet = Promise.resolve(undefined);
  }

  #add(add: (onTriggered: () => void) => void, also?: () => void): void {
    const key = {};
    this.added++;
    add(() => {
      this.met.add(key);
      also?.();
    });
  }
}

/** A release of which a join makes every request, also that of the CRI socket annotation. */
export const PROFILE = '1.24' satisfies ProfileName;

/** Each worker has its own. */
let nextPort = 20_000 + 2_000 * Number(process.env.VITEST_POOL_ID);

export async function makeScene(clocks: Fault['clocks'] = {}): Promise<Scene> {
  const sandbox = await startSandbox({
    profile: PROFILE,
    now: () => new Date(Date.now() + (clocks.clusterMs ?? 0)),
    kubeletPorts: { healthz: await unusedPort() },
  });
  const root = mkdtempSync(join(scratch, 'fault-'));
  cpSync(await pattern, root, { recursive: true, filter: (path) => !path.endsWith('.sock') });
  const scene = new Scene(sandbox, root);
  await scene.startRuntime();
  scene.machineAheadMs = clocks.machineMs ?? 0;
  await scene.program('systemctl', SYSTEMCTL);
  await scene.lay(STATE, 'inactive\n');
  return scene;
}

/** The machine that every other is a copy of. */
const pattern = (async (): Promise<string> => {
  const root = mkdtempSync(join(scratch, 'pattern-'));
  process.once('exit', () => rmSync(root, { recursive: true, force: true }));
  await makeMachine(root, { hostName: 'w1', kubelet: ['/bin/false'], kubeletVersion: profiles[PROFILE].gitVersion });
  return root;
})();

/** Below the ports that the system hands out: no other process takes it before the kubelet. */
async function unusedPort(): Promise<number> {
  for (;;) {
    const port = nextPort++;
    const probe = createServer().listen(port, '127.0.0.1');
    const isFree = await once(probe, 'listening').then(
      () => true,
      () => false,
    );
    probe.close();
    if (isFree) return port;
  }
}

export async function endScene(scene: Scene): Promise<void> {
  scene.clearFaults();
  await scene.stopKubelet();
  await scene.stopRuntime();
  await scene.sandbox.close();
  rmSync(scene.root, { recursive: true, force: true });
}

export const STATE = 'run/kubelet.state';
export const UNITS = ['usr/lib/systemd/system/kubelet.service', 'etc/systemd/system/kubelet.service.d/10-kubeadm.conf'];
const SYSTEMCTL = `
state=$JOINERY_ROOT/run/kubelet.state
case "$1 $2" in
  'show kubelet') read -r active <"$state"
    printf '%s\\n' LoadState=loaded "ActiveState=$active" UnitFileState=enabled NRestarts=0 ;;
  'show '*) printf '%s\\n' LoadState=not-found ActiveState=inactive ;;
  'cat kubelet') cat "$JOINERY_ROOT"/usr/lib/systemd/system/kubelet.service "$JOINERY_ROOT"/etc/systemd/system/kubelet.service.d/* ;;
  'start kubelet') echo active >"$state" ;;
  'stop kubelet') echo inactive >"$state" ;;
esac`;
