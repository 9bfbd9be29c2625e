/** The steps of one machine, each on the machine itself and on the cluster. */
import { sleep } from '../../limits/timers.ts';
import type { RunEvent } from '../../run/run.ts';
import { fail, isJoinError } from '../../sdk/errors.ts';
import { clean } from '../../sdk/text.ts';
import type { Inspection, JoinWatch, MachineContext, MachineSteps } from '../machine.ts';
import type { Machines } from '../transports/index.ts';
import type { Architecture, Machine } from '../transports/machine.ts';
import { failed } from './answers.ts';
import { approveRequest, reportedRequest, requireNoOtherRequest } from './approval.ts';
import type { FleetCluster } from './cluster.ts';
import { diagnose } from './diagnosis.ts';
import type { Executables } from './executable.ts';
import { inspectionOf } from './inspect.ts';
import { followRun, startRun } from './join.ts';
import { deleteToken, ensureToken, tokenWithSecret } from './token.ts';

export interface StepsOptions {
  cluster: FleetCluster;
  machines: Machines;
  executables: Executables;
  now: () => Date;
}

/** How often a run is started again whose process has ended, for example because the machine was switched off. */
const STARTS_MAX = 3;
const UNDO_TIME_MS = 20 * 60_000;
const ANSWER_TIME_MS = 60_000;
const APPROVAL_PAUSE_MS = 2_000;

export function machineSteps(options: StepsOptions): MachineSteps {
  const { cluster, machines, executables, now } = options;
  const architectures = new Map<string, Architecture>();
  const reach = async ({ host, signal }: MachineContext) => {
    const reached = await (await machines.of(host)).reach(signal);
    architectures.set(host.name, reached.architecture);
    return reached;
  };
  return {
    reach,
    async install(context) {
      const { host, signal } = context;
      if (host.transport.kind === 'local') return { digest: '', changed: false };
      const executable = await executables(architectures.get(host.name) ?? (await reach(context)).architecture);
      const { changed } = await (await machines.of(host)).put(executable, signal);
      return { digest: executable.digest, changed };
    },
    async inspect({ host, signal }) {
      const diagnosis = await diagnose(await machines.of(host), host.name, signal);
      return inspectionOf(diagnosis, host.name, await cluster.target());
    },
    token: (context) => ensureToken(cluster, context, now()),
    join: (context, found, tokenId, watch) => new Join(options, context, tokenId).run(found, watch),
    async answer({ host, signal }, run, { step, decision, reason }) {
      const args = ['approve', run, step, ...(decision === 'denied' ? ['--deny'] : []), '--reason', reason];
      const answer = await (await machines.of(host)).join(args, { timeMs: ANSWER_TIME_MS, signal });
      if (answer.exitCode !== 0) throw failed(answer, { host: host.name, command: 'approve' });
    },
    async verify({ host, signal }) {
      const missing = (what: string) => fail('E_FLEET_NODE', { host: host.name, what });
      const { node } = await diagnose(await machines.of(host), host.name, signal);
      if (node === undefined) throw missing('the machine has no certificate of a Node');
      const { uid } = (await cluster.node(node.name))?.metadata ?? {};
      if (uid === undefined) throw missing(`the cluster has no Node ${clean(node.name)}`);
      if (uid !== node.uid)
        throw missing(`its Node ${clean(node.name)} is ${node.uid ?? 'unknown'} on the machine, and ${uid} here`);
      return { node: node.name, uid };
    },
    async revoke(context, tokenId) {
      await deleteToken(cluster, context, tokenId);
      if (context.fleet.approval === 'fleet') await requireNoOtherRequest(cluster, context.host.name, tokenId);
    },
    async undo({ host, signal }, run) {
      if (run === undefined) return;
      const machine = await machines.of(host);
      const { node } = await diagnose(machine, host.name, signal);
      await undoRun(machine, { host: host.name, run, signal });
      const { pins } = await cluster.target();
      if (node?.uid !== undefined && node.caPins.some((pin) => pins.includes(pin)))
        await cluster.deleteNode(node.name, node.uid);
    },
  };
}

/** A run that changed nothing is not recorded, and one that is undone stays so. */
async function undoRun(machine: Machine, { host, run, signal }: { host: string; run: string; signal: AbortSignal }) {
  const answer = await machine.join(['undo', run, '--yes', '-o', 'json'], { timeMs: UNDO_TIME_MS, signal });
  if (answer.exitCode === 0) return;
  const error = failed(answer, { host, command: 'undo' });
  if (!['E_RUN_CLOSED', 'E_RUN_UNKNOWN', 'E_RUN_NONE'].includes(error.code)) throw error;
}

/** One join of one machine. */
class Join {
  readonly #options: StepsOptions;
  readonly #context: MachineContext;
  readonly #tokenId: string | undefined;
  /** Aborted with the error that ends the join on the operator's side. */
  readonly #ended = new AbortController();
  /** Requests that are approved, or will be. */
  readonly #requests = new Set<string>();

  constructor(options: StepsOptions, context: MachineContext, tokenId: string | undefined) {
    this.#options = options;
    this.#context = { ...context, signal: AbortSignal.any([context.signal, this.#ended.signal]) };
    this.#tokenId = tokenId;
  }

  async run(found: Inspection, watch: JoinWatch): Promise<{ run: string }> {
    const { host, signal } = this.#context;
    const machine = await this.#options.machines.of(host);
    let { fromSeq } = watch;
    const onEvent = (event: RunEvent) => {
      fromSeq = event.seq + 1;
      this.#approve(event);
      watch.onEvent(event);
    };
    let run = found.state === 'running' ? found.run : undefined;
    for (let starts = 1; ; starts++) {
      if (run === undefined) {
        const started = await this.#start(machine);
        run = started.run;
        fromSeq = Math.min(fromSeq, started.seq); // a run that is new begins with 1
      }
      try {
        await followRun({ host, machine, signal, run, fromSeq, onEvent });
        return { run };
      } catch (error) {
        if (!isJoinError(error) || error.code !== 'E_RUN_INTERRUPTED' || starts === STARTS_MAX) throw error;
        run = undefined;
      }
    }
  }

  /** Returns the run, from its first event: that of the operator before this one, if it has started in the meantime. */
  async #start(machine: Machine): Promise<Pick<RunEvent, 'run' | 'seq'>> {
    const { host, fleet, signal } = this.#context;
    const { cluster } = this.#options;
    if (this.#tokenId === undefined) throw new Error('a join that starts needs a token');
    const token = await tokenWithSecret(cluster, this.#context, this.#tokenId);
    const target = await cluster.target();
    const pipeline = fleet.pipelines[host.role];
    const environments = [...fleet.environments, ...host.environments];
    try {
      return await startRun({ host, machine, signal, target, token, pipeline, environments });
    } catch (error) {
      if (!isJoinError(error) || error.code !== 'E_RUN_LOCKED') throw error;
      const found = inspectionOf(await diagnose(machine, host.name, signal), host.name, target);
      if (found.state !== 'running' || found.run === undefined) throw error;
      return { run: found.run, seq: 1 };
    }
  }

  /** Approves the request that the machine reports, if the fleet approves. */
  #approve(event: RunEvent): void {
    const reported = this.#context.fleet.approval === 'fleet' ? reportedRequest(event) : undefined;
    if (reported === undefined || this.#tokenId === undefined || this.#requests.has(reported.csr)) return;
    this.#requests.add(reported.csr);
    const { signal } = this.#context;
    const attempt = async (tokenId: string): Promise<void> => {
      try {
        await approveRequest(this.#options.cluster, this.#context, tokenId, reported);
      } catch (error) {
        if (!isJoinError(error) || !error.transient) throw error;
        await sleep(Math.max(error.retryAfterMs ?? 0, APPROVAL_PAUSE_MS), signal);
        await attempt(tokenId);
      }
    };
    attempt(this.#tokenId).catch((error: unknown) => this.#ended.abort(error));
  }
}
