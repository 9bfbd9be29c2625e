/**
 * What a rollout has done, and what it does next. Plain data and decisions: the same results and actions in the same
 * order always lead to the same decisions, so that Restate can replay them.
 */
import type { RolloutAction } from './board.ts';
import { allowedFailures } from './budget.ts';
import type { Fleet, Host } from './fleet.ts';
import { parseProceedIf, type WaveResult } from './proceed.ts';
import type { FleetStatus, HostError, HostState, HostStatus, RolloutState, WaveStatus } from './status.ts';
import { wavesOf } from './waves.ts';

/** What became of one machine. Times are RFC 3339. */
export interface HostResult {
  state: 'joined' | 'unchanged' | 'failed' | 'undone';
  step?: HostStatus['step'];
  run?: string;
  error?: HostError;
  startedAt: string;
  endedAt: string;
}

export type Decision =
  /** Start these, and then wait. Either list may be empty. */
  { kind: 'go'; join: Host[]; undo: Host[]; soakMs?: number } | { kind: 'end' };

const FINISHED: readonly HostState[] = ['joined', 'unchanged', 'failed', 'skipped'];

export class RolloutProgress {
  readonly fleet: Fleet;
  readonly #status: FleetStatus;
  readonly #hosts = new Map<string, HostStatus>();
  readonly #specs: ReadonlyMap<string, Host>;
  #wave = 0;
  /** Failures that the operator has accepted by `resume`. */
  #accepted = 0;
  #isSoaking = false;
  #hasSoaked = false;
  /** The condition of the current wave was false, and the operator has resumed. */
  #isOverruled = false;
  /** How the rollout ends when no host is busy. */
  #ending: { state: RolloutState; undo: Set<string> } | undefined;

  constructor(fleet: Fleet, rollout: string, startedAt: string) {
    this.fleet = fleet;
    this.#specs = new Map(fleet.hosts.map((host) => [host.name, host]));
    const waves = wavesOf(fleet.hosts, fleet.rollout.waves);
    this.#status = {
      apiVersion: 'joinery.dev/v1',
      kind: 'FleetStatus',
      fleet: fleet.name,
      rollout,
      state: 'running',
      startedAt,
      waves: waves.map((hosts, index): WaveStatus => {
        return { number: index + 1, state: 'waiting', hosts: hosts.map(({ name }) => name) };
      }),
      hosts: waves.flatMap((hosts, index) =>
        hosts.map(({ name, role }): HostStatus => ({ name, role, wave: index + 1, state: 'waiting', attempts: 0 })),
      ),
      budget: { failedHosts: 0, allowedHosts: allowedFailures(fleet.rollout.failureBudget, fleet.hosts.length) },
    };
    for (const host of this.#status.hosts) this.#hosts.set(host.name, host);
  }

  /** A rollout that has ended, whose machines are to be undone. */
  static ofEnded(fleet: Fleet, status: FleetStatus): RolloutProgress {
    const progress = new RolloutProgress(fleet, status.rollout, status.startedAt);
    Object.assign(progress.#status, structuredClone(status));
    for (const host of progress.#status.hosts) progress.#hosts.set(host.name, host);
    progress.#wave = progress.#status.waves.length - 1;
    return progress;
  }

  get status(): FleetStatus {
    return this.#status;
  }

  host(name: string): HostStatus {
    const host = this.#hosts.get(name);
    if (host === undefined) throw new Error(`the fleet has no host ${name}`);
    return host;
  }

  /** `at` is the time, RFC 3339. Marks the hosts that it starts. */
  decide(at: string): Decision {
    for (;;) {
      const decision = this.#ending === undefined ? this.#forward(at) : this.#end(at);
      if (decision !== undefined) return decision;
    }
  }

  /** Undefined: something has changed, so decide again. */
  #forward(at: string): Decision | undefined {
    const { waves } = this.#status;
    const wave = waves[this.#wave];
    if (wave === undefined) return this.#finish('succeeded', at);
    if (this.#status.state === 'paused') return NOTHING;
    if (this.#isExceeded()) return this.#exceeded(wave);
    if (wave.state === 'waiting') Object.assign(wave, { state: 'running', startedAt: at });
    const join = this.#startable();
    if (join.length > 0 || this.#count('joining') > 0) return { kind: 'go', join, undo: [] };
    return this.#afterWave(wave, at);
  }

  #afterWave(wave: WaveStatus, at: string): Decision | undefined {
    const { soakMs } = this.fleet.rollout;
    if (this.#isSoaking) return NOTHING;
    wave.endedAt ??= at;
    const isLast = this.#wave === this.#status.waves.length - 1;
    const refusal = isLast || this.#isOverruled || this.#hasSoaked ? undefined : this.#refusal(wave);
    if (refusal !== undefined) return this.#pause(refusal);
    if (!isLast && soakMs > 0 && !this.#hasSoaked) {
      this.#isSoaking = true;
      Object.assign(wave, { state: 'soaking', soaksUntil: new Date(Date.parse(at) + soakMs).toISOString() });
      return { kind: 'go', join: [], undo: [], soakMs };
    }
    wave.state = 'succeeded';
    this.#wave++;
    this.#hasSoaked = false;
    this.#isOverruled = false;
    return undefined;
  }

  /** Hosts of this wave, and those of earlier ones that are tried again. Control planes join alone, and first. */
  #startable(): Host[] {
    const open = this.#status.hosts.filter(({ state, wave = 0 }) => state === 'waiting' && wave <= this.#wave + 1);
    const joining = this.#status.hosts.filter(({ state }) => state === 'joining');
    const leader = open.find(({ role }) => role === 'control-plane');
    if (joining.some(({ role }) => role === 'control-plane')) return [];
    if (leader !== undefined) return joining.length === 0 ? [this.#start(leader, 'joining')] : [];
    const free = Math.max(0, this.fleet.rollout.maxParallel - joining.length);
    return open.slice(0, free).map((host) => this.#start(host, 'joining'));
  }

  #start(host: HostStatus, state: 'joining' | 'undoing'): Host {
    if (state === 'joining') host.attempts++;
    for (const key of ['step', 'error', 'endedAt'] as const) delete host[key];
    host.state = state;
    const spec = this.#specs.get(host.name);
    if (spec === undefined) throw new Error(`the fleet has no host ${host.name}`);
    return spec;
  }

  record(name: string, { state, ...result }: HostResult): void {
    const host = this.host(name);
    Object.assign(host, result, { state });
    this.#status.budget.failedHosts = this.#count('failed');
  }

  soaked(): void {
    this.#isSoaking = false;
    this.#hasSoaked = true;
  }

  act(action: RolloutAction): void {
    const refusal = this.refuses(action);
    if (refusal !== undefined) return; // it was possible when the operator asked for it
    if (action.action === 'pause') Object.assign(this.#status, { state: 'paused', reason: 'paused by the operator' });
    else if (action.action === 'resume') this.#resume();
    else if (action.action === 'retry') this.host(action.host).state = 'waiting';
    else if (action.action === 'skip') this.host(action.host).state = 'skipped';
    else if (action.action === 'cancel') this.#endWith('cancelled', 'cancelled by the operator', []);
    else this.#endWith('undone', undoReason(action.wave), this.#undoable(action.wave));
    this.#status.budget.failedHosts = this.#count('failed');
  }

  /** Why an action is not possible now. */
  refuses(action: RolloutAction): string | undefined {
    const { state } = this.#status;
    if (this.#ending !== undefined) return `the rollout is ending (${this.#ending.state})`;
    if (action.action === 'undo') return this.#refusesUndo(action.wave);
    if (state !== 'running' && state !== 'paused') return `the rollout has ended (${state})`;
    if (action.action === 'pause' && state === 'paused') return 'the rollout is paused already';
    if (action.action === 'resume' && state === 'running') return 'the rollout is not paused';
    if (action.action !== 'retry' && action.action !== 'skip') return undefined;
    const host = this.#hosts.get(action.host);
    if (host === undefined) return `the fleet has no host ${action.host}`;
    const possible: HostState[] = action.action === 'retry' ? ['failed', 'skipped'] : ['waiting', 'failed'];
    return possible.includes(host.state) ? undefined : `host ${host.name} is ${host.state}`;
  }

  #refusesUndo(wave: number | undefined): string | undefined {
    if (wave !== undefined && wave > this.#status.waves.length) return `the fleet has no wave ${wave}`;
    return undefined;
  }

  #resume(): void {
    if (this.#isExceeded()) this.#accepted = this.#count('failed');
    else if (this.#status.waves[this.#wave]?.endedAt !== undefined) this.#isOverruled = true;
    this.#status.budget.allowedHosts = this.#allowed();
    this.#status.state = 'running';
    delete this.#status.reason;
  }

  #allowed(): number {
    return this.#accepted + allowedFailures(this.fleet.rollout.failureBudget, this.fleet.hosts.length);
  }

  #isExceeded(): boolean {
    return this.#count('failed') > this.#allowed();
  }

  #exceeded(wave: WaveStatus): Decision | undefined {
    const failed = this.#count('failed');
    const reason = `${failed} ${failed === 1 ? 'host' : 'hosts'} failed, and ${this.#allowed()} may fail`;
    const { onBudgetExceeded } = this.fleet.rollout;
    if (onBudgetExceeded === 'pause') return this.#pause(reason);
    wave.state = 'stopped';
    this.#endWith('failed', reason, onBudgetExceeded === 'undo' ? this.#undoable(wave.number) : []);
    return undefined;
  }

  #pause(reason: string): Decision {
    Object.assign(this.#status, { state: 'paused', reason });
    return NOTHING;
  }

  #endWith(state: RolloutState, reason: string, undo: readonly string[]): void {
    this.#ending = { state, undo: new Set(undo) };
    this.#status.reason = reason;
  }

  /** Hosts that the rollout may have changed. */
  #undoable(wave: number | undefined): string[] {
    const changed: HostState[] = ['joining', 'joined', 'failed'];
    return this.#status.hosts
      .filter((host) => (wave === undefined || host.wave === wave) && changed.includes(host.state))
      .map(({ name }) => name);
  }

  /** Waits for what is busy, then undoes hosts in reverse order: workers first, and control planes one at a time. */
  #end(at: string): Decision {
    const ending = this.#ending;
    if (ending === undefined || this.#count('joining') > 0) return NOTHING;
    const left = this.#status.hosts.filter(({ name, state }) => ending.undo.has(name) && FINISHED.includes(state));
    const undoing = this.#status.hosts.filter(({ state }) => state === 'undoing');
    const workers = left.filter(({ role }) => role === 'worker').reverse();
    const leaders = left.filter(({ role }) => role === 'control-plane').reverse();
    const free = Math.max(0, this.fleet.rollout.maxParallel - undoing.length);
    const next = workers.length > 0 ? workers.slice(0, free) : leaders.slice(0, undoing.length === 0 ? 1 : 0);
    for (const { name } of next) ending.undo.delete(name); // one that cannot be undone is not tried again
    if (next.length > 0 || undoing.length > 0)
      return { kind: 'go', join: [], undo: next.map((host) => this.#start(host, 'undoing')) };
    const isKept = this.#status.hosts.some(({ state, step }) => state === 'failed' && step === 'undo');
    return this.#finish(ending.state === 'undone' && isKept ? 'failed' : ending.state, at);
  }

  #finish(state: RolloutState, at: string): Decision {
    this.#status.endedAt = at;
    for (const wave of this.#status.waves) {
      const states = wave.hosts.map((name) => this.host(name).state);
      if (states.includes('undone') && !states.includes('joined')) wave.state = 'undone';
      else if (wave.state === 'running' || wave.state === 'soaking') wave.state = 'stopped';
    }
    this.#status.state = state;
    return { kind: 'end' };
  }

  #count(state: HostState): number {
    return this.#status.hosts.filter((host) => host.state === state).length;
  }

  /** Why the condition of the fleet refuses the next wave, or undefined. */
  #refusal({ hosts, startedAt = '', endedAt = '', number }: WaveStatus): string | undefined {
    const { proceedIf } = this.fleet.rollout;
    if (proceedIf === undefined) return undefined;
    const found = hosts.map((name) => this.host(name));
    const count = (state: HostState): number => found.filter((host) => host.state === state).length;
    const result: WaveResult = {
      joined: count('joined'),
      unchanged: count('unchanged'),
      failed: count('failed'),
      skipped: count('skipped'),
      total: found.length,
      durationSeconds: secondsBetween(startedAt, endedAt),
      hosts: found.map(({ name, state, role, startedAt: from = '', endedAt: to = '' }) => {
        const labels = this.#specs.get(name)?.labels ?? {};
        return { name, state, role, labels, durationSeconds: secondsBetween(from, to) };
      }),
    };
    try {
      return parseProceedIf(proceedIf)(result) ? undefined : `wave ${number}: ${proceedIf} is false`;
    } catch (error) {
      return `wave ${number}: proceedIf has no value: ${(error as Error).message}`;
    }
  }
}

const NOTHING: Decision = { kind: 'go', join: [], undo: [] };
const secondsBetween = (from: string, to: string): number => Math.max(0, Date.parse(to) - Date.parse(from)) / 1000 || 0;
const undoReason = (wave: number | undefined): string =>
  wave === undefined ? 'undone by the operator' : `wave ${wave} undone by the operator`;
