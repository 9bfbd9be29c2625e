/** One join on a scratch machine in this process, with whatever a fault puts in its way. */
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { DEFAULT_PIPELINE } from '../../bin/pipelines.ts';
import { errorText } from '../../bin/render/error.ts';
import { jsonText, resultDocument } from '../../bin/render/json.ts';
import { plannedChanges, planText } from '../../bin/render/plan.ts';
import { progress } from '../../bin/render/progress.ts';
import { resultText } from '../../bin/render/text.ts';
import type { Change } from '../../engine/host/changes/index.ts';
import type { Host } from '../../engine/host/host.ts';
import type { Answers, Query } from '../../engine/host/query.ts';
import { realHost } from '../../engine/host/real.ts';
import { recordingHost } from '../../engine/host/recording.ts';
import { kubeAccess } from '../../engine/kube/access.ts';
import { planOf } from '../../engine/pipeline/plan.ts';
import { type ClockOfMachines, type RunEvent, type RunResult, run } from '../../engine/run/run.ts';
import { type Fault as ApiFault, type Sandbox, startSandbox } from '../../plugins/sandbox/index.ts';
import { type Kubelet, startKubelet } from '../../plugins/sandbox/machine/kubelet.ts';
import { KUBELET_VERSION } from '../../plugins/sandbox/machine/kubelet-node.ts';
import { makeMachine } from '../../plugins/sandbox/machine/machine.ts';
import { type RuntimeOptions, startRuntime } from '../../plugins/sandbox/machine/runtime.ts';
import { catalog, registry } from '../helpers/app.ts';
import { type DiskFault, failOnDisk, mendDisk } from './failing-fs.ts';
import { type Fault, LIMIT_MS, REQUESTS, type RequestName } from './fault.ts';

/** In memory where there is such a place: hundreds of machines are made, synced and thrown away. */
const scratch = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
/** How often a step is tried that may be tried again, and with which pauses: the shipped ones add up to a minute. */
const ATTEMPTS = 3;
const PAUSE_MS = 10;
/** How long a fault lasts before the limit of its step has passed. */
const AFTER_MET_MS = 500;

export interface Outcome {
  result: RunResult;
  /** When each event came, in milliseconds. */
  events: { at: number; event: RunEvent }[];
  limitsMs: Map<string, number>;
  /** All that was shown: progress, result, error. */
  text: string;
  json: string;
  /** What the phases wanted of the machine, in order. */
  wanted: Change[];
}

export class Scene {
  readonly sandbox: Sandbox;
  readonly root: string;
  /** Values of the pipeline's inputs. */
  given: Record<string, unknown>;
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
    this.given = {
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
    mendDisk(this.root);
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

  /** Instead of the one that is there. */
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

/** Each worker has its own. */
let nextPort = 20_000 + 2_000 * Number(process.env.VITEST_POOL_ID);

export async function makeScene(clocks: Fault['clocks'] = {}): Promise<Scene> {
  const sandbox = await startSandbox({
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
  await makeMachine(root, { hostName: 'w1', kubelet: ['/bin/false'] });
  return root;
})();

/** Below the ports that the system hands out: nobody can take it before the kubelet does. */
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

const pipeline = catalog.open(DEFAULT_PIPELINE);

/** The default pipeline, as `join run` would run and show it. */
export async function joinOn(
  scene: Scene,
  { limitsMs = {}, dryRun = false }: { limitsMs?: Fault['limitsMs']; dryRun?: boolean } = {},
): Promise<Outcome> {
  const host = await realHost(scene.root, {
    access: kubeAccess,
    now: () => new Date(Date.now() + scene.machineAheadMs),
  });
  const wanted: Change[] = [];
  const real = scene.wrap(watchedHost(scene, host, wanted));
  const watched = dryRun ? recordingHost(real) : real;
  const shipped = planOf(pipeline, registry, scene.given, watched.facts);
  const steps = shipped.steps.map(({ totalMs, ...step }) => ({
    ...step,
    // A step that is to reach its limit reaches it once.
    ...(limitsMs[step.id] === undefined && totalMs !== undefined ? { totalMs } : {}),
    timeoutMs: limitsMs[step.id] ?? step.timeoutMs,
    retry: { ...step.retry, attempts: Math.min(step.retry.attempts, ATTEMPTS), initialMs: PAUSE_MS, factor: 1 },
  }));
  const plan = { ...shipped, steps };
  const lines: string[] = [];
  const stream = new Writable({ write: (chunk, _, done) => done(void lines.push(String(chunk))) });
  const shown = await progress(plan, stream as NodeJS.WriteStream);
  const events: Outcome['events'] = [];
  try {
    const result = await run({
      plan,
      host: watched,
      onFailure: scene.onFailure,
      signal: scene.cancel.signal,
      clock: clockOf(scene),
      onEvent(event) {
        events.push({ at: performance.now(), event });
        shown.onEvent(event);
      },
    });
    shown.end();
    const changes = dryRun ? await plannedChanges(result, host) : new Map();
    lines.push(dryRun ? planText({ result, plan, changes, waits: new Map() }) : resultText(result, plan));
    if (result.error !== undefined) lines.push(errorText(result.error, '0.0.0'));
    const json = jsonText(resultDocument(result, { plan, dryRun }));
    const limits = new Map(steps.map(({ id, timeoutMs }) => [id, timeoutMs]));
    return { result, events, limitsMs: limits, text: lines.join('\n'), json, wanted };
  } finally {
    await host.close();
  }
}

/**
 * The clock of the machines. A limit that a fault is to reach passes soon after the fault was met, and not before:
 * how busy this machine is decides nothing.
 */
function clockOf(scene: Scene): ClockOfMachines {
  const passed = (ended: AbortController, fn: () => void): void => {
    if (ended.signal.aborted) return;
    scene.limitPassedAt = performance.now();
    fn();
  };
  const pass = (ended: AbortController, fn: () => void): void => {
    if (ended.signal.aborted) return;
    if (scene.met.size < scene.added) setTimeout(pass, 20, ended, fn);
    else setTimeout(passed, AFTER_MET_MS, ended, fn);
  };
  return {
    setTimeout(fn, timeoutMs) {
      const ended = new AbortController();
      if (timeoutMs === LIMIT_MS && scene.added > 0) pass(ended, fn);
      else {
        const timer = setTimeout(fn, timeoutMs);
        ended.signal.addEventListener('abort', () => clearTimeout(timer));
      }
      return ended;
    },
    clearTimeout: (ended) => (ended as AbortController | undefined)?.abort(),
  };
}

/** Notes what is wanted, and is the kubelet that the service manager starts. */
function watchedHost(scene: Scene, host: Host, wanted: Change[]): Host {
  return {
    ...host,
    async read<K extends Query['kind']>(query: Extract<Query, { kind: K }>, signal: AbortSignal): Promise<Answers[K]> {
      const told = scene.hasPrograms ? undefined : await answerOf(scene, query);
      return told === undefined ? host.read<K>(query, signal) : (told as Answers[K]);
    },
    async apply(change, signal) {
      wanted.push(change);
      if (scene.hasPrograms || change.kind !== 'service') await host.apply(change, signal);
      if (change.kind !== 'service' || change.action === 'reload') return;
      if (change.action === 'start') await scene.startKubelet();
      else await scene.stopKubelet();
    },
  };
}

/** What the machine's programs would say, without the time that starting them takes. */
async function answerOf(scene: Scene, query: Query): Promise<Answers['service' | 'unit' | 'output'] | undefined> {
  if (query.kind === 'service') {
    const state = (await readFile(join(scene.root, STATE), 'utf8')).trim();
    const [active, failed] = [state === 'active', state !== 'active'];
    return { manager: 'systemd', exists: query.name === 'kubelet', enabled: true, active, failed };
  }
  if (query.kind === 'unit')
    return (await Promise.all(UNITS.map((path) => readFile(join(scene.root, path), 'utf8')))).join('\n');
  if (query.kind !== 'output') return undefined;
  return { exitCode: 0, stdout: `Kubernetes ${KUBELET_VERSION}\n`, stderr: '' };
}

const STATE = 'run/kubelet.state';
const UNITS = ['usr/lib/systemd/system/kubelet.service', 'etc/systemd/system/kubelet.service.d/10-kubeadm.conf'];
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
