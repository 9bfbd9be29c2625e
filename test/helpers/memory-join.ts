/** A machine and cluster in memory. The default pipeline runs on it, stops at any point, and is resumed or undone. */
import { SimulatedClock } from 'xstate';
import { DEFAULT_PIPELINE } from '../../bin/pipelines.ts';
import { planToResume } from '../../bin/runs/resume.ts';
import { journalFor } from '../../bin/runs/start.ts';
import type { Change } from '../../engine/host/changes/index.ts';
import { MachineFiles } from '../../engine/host/files.ts';
import type { Host, Wait } from '../../engine/host/host.ts';
import type { Query } from '../../engine/host/query.ts';
import { isClosed } from '../../engine/journal/history.ts';
import { Runs } from '../../engine/journal/runs.ts';
import { type NodeObject, nodeRef, paths } from '../../engine/node/index.ts';
import { undoPlan } from '../../engine/run/plan-record.ts';
import { type RunResult, run, undo } from '../../engine/run/run.ts';
import { type ApiRequest, objectPath } from '../../engine/sdk/api.ts';
import { joineryPaths } from '../../engine/sdk/index.ts';
import { type MemoryMachine, memoryHost } from '../../engine/testing/memory-host.ts';
import { registry } from './app.ts';
import { authority, ENDPOINT, FakeCluster, joinableCluster, NOW, TOKEN } from './cluster.ts';
import { differences, identityProblems, NODE, PEM, RUN_ID, stableShape, stableTree } from './joined-state.ts';
import { MemoryDisk, type Survives } from './memory-disk.ts';
import { type Mode, type Outcome, type Points, type Trees, wordsOf } from './memory-outcome.ts';
import { memoryPlan, resumingApp } from './memory-plan.ts';
import { type AtPoint, diskWithPoints, hostWithPoints } from './points.ts';

export type { Mode, Points, Trees } from './memory-outcome.ts';

const SIGNAL = new AbortController().signal;
const CA = authority();
const INPUTS = { endpoint: ENDPOINT, token: TOKEN, discoveryTokenCaCertHash: [CA.pin], ignorePreflightErrors: ['all'] };
const UNIT_STATUS = { manager: 'systemd', exists: true, enabled: true, failed: false } as const;
const NEVER = new Promise<never>(() => undefined);
const KUBELETS_OWN = [
  `${paths.kubeletPki}/kubelet.crt`,
  `${paths.kubelet}/cpu_manager_state`,
  `${paths.kubelet}/pods/one/token`,
];

const PLAN = await memoryPlan(DEFAULT_PIPELINE, INPUTS);

export class MemoryJoin {
  readonly disk: MemoryDisk;
  readonly cluster: FakeCluster;
  isKubeletRunning: boolean;
  protected readonly plan = PLAN;
  protected readonly again: Record<string, string> = { token: TOKEN };
  #asked = 0;

  protected constructor(disk: MemoryDisk, cluster: FakeCluster, isKubeletRunning: boolean) {
    this.disk = disk;
    this.cluster = cluster;
    this.isKubeletRunning = isKubeletRunning;
  }

  /** A used or a new machine with its cluster, and the states before and after a join. */
  static async joined(isUsed = true): Promise<{ untouched: MemoryJoin; joined: MemoryJoin; trees: Trees }> {
    const disk = new MemoryDisk();
    for (const path of ['/run', '/etc/systemd/system', '/var/lib']) disk.put(path);
    if (isUsed) {
      disk.put(paths.kubeletConf, { file: 'an old one\n', mode: 0o640, uid: 1234, gid: 4321 });
      disk.put(paths.kubeletPki, { mode: 0o751 });
      disk.put(`${paths.kubeletPki}/kubelet.crt`, { file: 'an old one too\n' });
      disk.put(paths.kubeletCurrentPem, { link: '/nowhere' });
    }
    return MemoryJoin.from(new MemoryJoin(disk, joinableCluster(CA), false));
  }

  static async from<J extends MemoryJoin>(untouched: J): Promise<{ untouched: J; joined: J; trees: Trees }> {
    const joined = untouched.copy();
    const { status, message } = await joined.act('run');
    if (status !== 'succeeded') throw new Error(message);
    return { untouched, joined, trees: { before: untouched.tree(), after: joined.tree() } };
  }

  /** Another machine and another cluster in the same state. */
  copy(): this {
    return this.on(this.disk.copy());
  }

  /** A copy after a power failure. A kubelet that was running runs again after the boot. */
  async afterPowerLoss(survives?: Survives): Promise<this> {
    const booted = this.on(this.disk.afterPowerLoss(survives));
    if (this.isKubeletRunning) await booted.startKubelet();
    return booted;
  }

  protected on(disk: MemoryDisk): this {
    return new MemoryJoin(disk, this.copyOfCluster(), this.isKubeletRunning) as this;
  }

  protected copyOfCluster(): FakeCluster {
    const cluster = new FakeCluster(this.cluster.ca);
    for (const [path, object] of this.cluster.objects) cluster.objects.set(path, structuredClone(object));
    for (const [call, answer] of this.cluster.answers) cluster.answers.set(call, answer);
    return cluster;
  }

  /** The process stops permanently at point number `stopAt`, or never if 0. `onPoint` is called at each point. */
  async act(mode: Mode, stopAt = 0, onPoint: (where: string) => void = () => undefined): Promise<Outcome> {
    let points = 0;
    let tellStopped: (where: string) => void = () => undefined;
    const stopped = new Promise<string>((resolve) => {
      tellStopped = resolve;
    });
    const at: AtPoint = (where) => {
      points++;
      onPoint(where);
      if (stopAt === 0 || points < stopAt) return undefined;
      if (points === stopAt) tellStopped(where);
      return NEVER;
    };
    const ended = this.#act(mode, at).then(
      ({ status, error }): Omit<Outcome, 'points'> => ({ status, ...(error === undefined ? {} : wordsOf(error)) }),
      (error: unknown): Omit<Outcome, 'points'> => ({ status: 'refused', ...wordsOf(error) }),
    );
    const outcome = await Promise.race([ended, stopped.then((where) => ({ status: 'stopped' as const, where }))]);
    return { ...outcome, points };
  }

  async #act(mode: Mode, at: AtPoint): Promise<RunResult> {
    const disk = diskWithPoints(at, this.disk.calls);
    const host = hostWithPoints(this.#host(), new MachineFiles('/', disk), at, 0);
    const runs = new Runs(new MachineFiles('/', disk), host.now);
    // Like the process that locks the machine.
    await this.disk.calls.mkdir(joineryPaths.state, { mode: 0o700 }).catch(() => undefined);
    await runs.tidy();
    // A stopped process has no timers.
    const clock = new SimulatedClock();
    if (mode === 'run') {
      const { journal } = await journalFor(this.plan, runs);
      return run({ plan: this.plan, host, journal, clock });
    }
    if (mode === 'undo') {
      const journal = await runs.open(await runs.find(undefined, ({ status }) => status !== 'undone', 'undo'));
      return undo({ plan: undoPlan(journal, registry, [], host.facts), host, journal, clock });
    }
    const journal = await runs.open(await runs.find(undefined, (history) => !isClosed(history), 'resume'));
    const plan = await planToResume(resumingApp, journal, { again: this.again, argv: [] });
    await journal.resumed(plan.inputs);
    return run({ plan, host, journal, clock });
  }

  /** A host with its files on the disk and everything else in memory. */
  #host(): Host {
    const files = new MachineFiles('/', this.disk.calls);
    const rest = memoryHost({
      now: () => NOW,
      programs: ['kubelet'],
      outputs: { 'kubelet --version': { stdout: 'Kubernetes v1.30.2\n' } },
      send: (request) => this.#send(request),
      wait: (condition) => this.#wait(condition),
      ...this.machine(),
    });
    return {
      ...rest,
      read: (async (query: Query) => {
        if (query.kind === 'file') return files.read(query.path);
        if (query.kind === 'stat') return files.stat(query.path);
        if (query.kind === 'list') return files.list(query.path);
        if (query.kind === 'service')
          return { ...UNIT_STATUS, active: query.name === 'kubelet' && this.isKubeletRunning };
        if (query.kind === 'unit') return '[Service]\nExecStart=/usr/bin/kubelet\n';
        return rest.read(query, SIGNAL);
      }) as Host['read'],
      apply: async (change: Change) => {
        if (change.kind !== 'service') return this.apply(change);
        if (change.action === 'start') await this.startKubelet(files);
        if (change.action === 'stop') this.isKubeletRunning = false;
      },
    };
  }

  /** What this machine has besides. */
  protected machine(): MemoryMachine {
    return {};
  }

  protected apply({ kind }: Change): void {
    throw new Error(`a ${kind} is not part of a join`);
  }

  async #wait(condition: Wait): Promise<unknown> {
    this.#asked++;
    const object = await this.cluster.wait(condition);
    if (condition.kind === 'object') this.cluster.put(condition.ref, object as object); // signed
    return object;
  }

  #send(request: ApiRequest) {
    this.#asked++;
    const { method, ref, body } = request;
    const there = ref === undefined ? undefined : this.cluster.objects.get(objectPath(ref));
    const { status } = (body ?? {}) as { status?: object };
    if (method !== 'PATCH' || ref === undefined || there === undefined || status === undefined)
      return this.cluster.send(request);
    this.cluster.put(ref, { ...there, status: { ...(there as NodeObject).status, ...status } });
    return this.cluster.answer(200, there);
  }

  /** Registers the Node if the kubelet has an identity, and writes the kubelet's own files, unsynced. */
  async startKubelet(files = new MachineFiles('/', this.disk.calls)): Promise<void> {
    this.isKubeletRunning = true;
    // The kubelet keeps the files that exist.
    for (const path of KUBELETS_OWN) if ((await files.stat(path)) === undefined) this.disk.write(path, 'its own');
    const pem = await files.read(paths.kubeletCurrentPem);
    if (pem === undefined) return;
    this.cluster.put(nodeRef(NODE), {
      metadata: { name: NODE, labels: { 'kubernetes.io/hostname': NODE } },
      status: {
        nodeInfo: { kubeletVersion: 'v1.30.2' },
        conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: NOW.toISOString() }],
      },
    });
  }

  /** The tree of the disk, without random content and without Joinery's own state. */
  tree(): Map<string, string> {
    return stableTree(this.disk);
  }

  /** The state of machine and cluster, without random content. */
  shape(disk = this.disk): string {
    return JSON.stringify([...stableShape(disk, this.cluster), this.isKubeletRunning])
      .replaceAll(PEM, 'PEM')
      .replaceAll(RUN_ID, 'RUN');
  }

  /** Differs if the state may differ. */
  protected get stateVersion(): string {
    return `${this.disk.version} ${this.#asked} ${this.isKubeletRunning}`;
  }

  /** The points of an undisturbed `mode` at which `shape` is new, and the number of all points. */
  async points(mode: Mode, shape = () => this.shape(), onNew = (_: string): void => undefined): Promise<Points> {
    const seen = new Set<string>();
    const telling: number[] = [];
    let count = 0;
    let last = '';
    const { status, message } = await this.act(mode, 0, (where) => {
      count++;
      const version = this.stateVersion;
      if (version === last) return;
      last = version;
      const now = shape();
      if (seen.has(now)) return;
      seen.add(now);
      telling.push(count);
      onNew(where);
    });
    if (status !== 'succeeded') throw new Error(message);
    return { count, telling };
  }

  /** Resumes. If the journal is empty, the run starts again. A finished run or undo stays as it is. */
  async problemsAfterResume(trees: Trees): Promise<string[]> {
    const { status, code, message } = await this.act('resume');
    if (code === 'E_RUN_NONE') {
      const [state] = await this.statesOfRuns();
      if (state === 'undone') return this.problemsOfUndo(trees, true);
      if (state === undefined) {
        const problems = await this.problemsOfUndo(trees, false);
        if (problems.length > 0) return problems;
        await this.act('run');
      }
    } else if (status !== 'succeeded') return [`${code} ${message}`];
    return this.problemsOfRun(trees);
  }

  async problemsAfterUndo(trees: Trees): Promise<string[]> {
    const { status, code, message } = await this.act('undo');
    if (status !== 'succeeded' && code !== 'E_RUN_NONE') return [`${code} ${message}`];
    return this.problemsOfUndo(trees, (await this.statesOfRuns()).length > 0);
  }

  /** Problems of the state after a completed join. */
  async problemsOfRun({ after }: Trees): Promise<string[]> {
    const problems = [...differences(after, this.tree()), ...(await identityProblems(this.disk, this.cluster))];
    if (!this.isKubeletRunning) problems.push('no kubelet runs');
    return [...problems, ...(await this.#notTheOnlyRun('succeeded'))];
  }

  async problemsOfUndo({ before }: Trees, isRemembered: boolean): Promise<string[]> {
    const problems = differences(before, this.tree());
    if (this.isKubeletRunning) problems.push('a kubelet runs');
    for (const path of this.disk.tree().keys()) if (/\.(before|tmp)$/.test(path)) problems.push(`${path} is left`);
    return [...problems, ...(await this.#notTheOnlyRun(isRemembered ? 'undone' : undefined))];
  }

  async statesOfRuns(): Promise<string[]> {
    const runs = new Runs(new MachineFiles('/', this.disk.calls));
    return Promise.all((await runs.ids()).map(async (id) => (await runs.history(id)).status));
  }

  async #notTheOnlyRun(wanted: string | undefined): Promise<string[]> {
    const states = await this.statesOfRuns();
    return states.join() === (wanted ?? '') ? [] : [`the runs are [${states.join()}], and not [${wanted ?? ''}]`];
  }
}
