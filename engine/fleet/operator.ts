/** The operator: the process that a rollout needs. If it dies, the next one continues where Restate has stopped. */
import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { sleep } from '../limits/timers.ts';
import { fail } from '../sdk/errors.ts';
import { defined } from '../sdk/fields.ts';
import { type Dashboard, type FleetAction, type FleetBoard, isApproval } from './board.ts';
import { Concurrency } from './concurrency.ts';
import type { Fleet } from './fleet.ts';
import { LiveBoard } from './live-board.ts';
import type { MachineSteps } from './machine.ts';
import { type OperatorSocket, openOperatorSocket } from './operator-socket.ts';
import { ask, askPatiently, RestateRefusal } from './restate/client.ts';
import { openEndpoint, type RestateEndpoint } from './restate/endpoint.ts';
import { type Begun, CONTROL, ROLLOUT, type RolloutInput } from './restate/names.ts';
import { type RestateServer, startServer } from './restate/server.ts';
import type { FleetStatus, HostStatus } from './status.ts';
import { StatusFile } from './status-file.ts';

export interface OperatorOptions {
  fleet: string;
  /** Of this fleet. It is created with mode 0700. */
  folder: string;
  maxParallel: number;
  /** The program of the server that is started, or a server that runs. */
  restate: { program: string } | Omit<RestateServer, 'close'>;
  stepsFor(fleet: Fleet): Promise<MachineSteps>;
  /** Called for the first link. */
  dashboardFor(board: FleetBoard): Promise<Dashboard>;
}

const LOOK_MS = 200;

export class Operator {
  readonly board: LiveBoard;
  readonly #options: OperatorOptions;
  readonly #stopping = new AbortController();
  readonly #fleets = new Map<string, Promise<Fleet>>();
  readonly #steps = new Map<string, Promise<MachineSteps>>();
  readonly #status: StatusFile;
  #socket: OperatorSocket | undefined;
  #server: RestateServer | undefined;
  #endpoint: RestateEndpoint | undefined;
  #dashboard: Promise<Dashboard> | undefined;

  private constructor(options: OperatorOptions) {
    this.#options = options;
    const concurrency = new Concurrency(options.maxParallel);
    this.board = new LiveBoard(concurrency, (action, host) => this.#act(action, host));
    this.#status = new StatusFile(options.folder, this.board);
  }

  /** E_FLEET_RUNNING if another operator runs, E_FLEET_SERVER. */
  static async start(options: OperatorOptions): Promise<Operator> {
    mkdirSync(options.folder, { recursive: true, mode: 0o700 });
    const operator = new Operator(options);
    try {
      await operator.#open();
      return operator;
    } catch (error) {
      await operator.close();
      throw error;
    }
  }

  async #open(): Promise<void> {
    const { fleet, folder, restate } = this.#options;
    this.#socket = await openOperatorSocket(folder, fleet, { board: this.board, link: () => this.link() });
    this.#server =
      'program' in restate ? await startServer(restate.program, folder) : { ...restate, close: async () => undefined };
    const { board } = this;
    this.#endpoint = await openEndpoint({
      server: this.#server,
      watch: { follow: (progress) => board.follow(progress), changed: () => board.changed() },
      desk: {
        concurrency: board.concurrency,
        signal: this.#stopping.signal,
        fleetOf: (workflow) => this.#fleetOf(workflow),
        stepsFor: (document) => this.#stepsFor(document),
        entered: (host, step) => board.entered(host, step),
        heard: (host, event) => board.heard(host, event),
        nextEvent: (host) => board.nextEvent(host),
      },
      log: (line) =>
        appendFileSync(join(folder, 'operator.log'), `${new Date().toISOString()} ${line}\n`, { mode: 0o600 }),
    });
  }

  /** Begins a rollout, or continues the unfinished one of this fleet. */
  async begin(fleet: Fleet): Promise<Begun> {
    return this.#begin({ fleet, startedAt: new Date().toISOString() });
  }

  /** Undoes machines of the rollout that was last, and has ended. E_FLEET_ACTION. */
  async undo(wave: number | undefined): Promise<Begun> {
    const refused = (what: string) => fail('E_FLEET_ACTION', { action: 'undo', what });
    const { rollout, isOver } = (await this.#call('current')) as { rollout: string | null; isOver: boolean };
    if (rollout === null) throw refused('the fleet has no rollout');
    if (!isOver) return this.#undoUnfinished(rollout, wave);
    const [fleet, status] = await Promise.all([this.#fleetOf(rollout), this.#askRollout(rollout, 'status')]);
    const known = status as FleetStatus | null;
    if (known === null) throw refused(`Restate has no record of rollout ${rollout}`);
    if (wave !== undefined && wave > known.waves.length) throw refused(`the fleet has no wave ${wave}`);
    const undo = { status: known, ...defined({ wave }) };
    return this.#begin({ fleet, startedAt: new Date().toISOString(), undo });
  }

  async #begin(input: RolloutInput): Promise<Begun> {
    const id = rolloutId(input.fleet.name, new Date(input.startedAt));
    const { rollout } = (await this.#call('begin', { rollout: id, input })) as Pick<Begun, 'rollout'>;
    return { rollout, isNew: rollout === id };
  }

  async #undoUnfinished(rollout: string, wave: number | undefined): Promise<Begun> {
    await this.#call('act', { action: 'undo', ...defined({ wave }) });
    return { rollout, isNew: false };
  }

  /** A new link to the dashboard. E_FLEET_PORT. */
  async link(): Promise<string> {
    this.#dashboard ??= this.#options.dashboardFor(this.board);
    return (await this.#dashboard).link();
  }

  /** The status with which the rollout ends. */
  async finished({ rollout }: Begun): Promise<FleetStatus> {
    for (;;) {
      this.#stopping.signal.throwIfAborted();
      try {
        const path = `/restate/workflow/${ROLLOUT.name}/${encodeURIComponent(rollout)}/output`;
        const status = (await ask(this.#ingress, 'GET', path)) as FleetStatus;
        this.#status.write(status);
        return status;
      } catch (error) {
        if (error instanceof RestateRefusal && error.status === 500) throw error;
        await sleep(LOOK_MS); // not ended yet, or the server is starting again
      }
    }
  }

  /** The machines and Restate keep what they have. Another operator can continue the rollout. */
  async close(): Promise<void> {
    this.#stopping.abort(new Error('the operator stops'));
    this.#status.close();
    await (await this.#dashboard?.catch(() => undefined))?.close();
    await this.#endpoint?.close();
    await this.#server?.close();
    await this.#socket?.close();
  }

  get #ingress() {
    if (this.#server === undefined) throw new Error('the operator has not started');
    return this.#server.ingress;
  }

  #call(handler: string, body?: unknown): Promise<unknown> {
    return askPatiently(
      this.#ingress,
      'POST',
      `/${CONTROL.name}/${encodeURIComponent(this.#options.fleet)}/${handler}`,
      body,
    );
  }

  #askRollout(rollout: string, handler: string): Promise<unknown> {
    return askPatiently(this.#ingress, 'POST', `/${ROLLOUT.name}/${encodeURIComponent(rollout)}/${handler}`);
  }

  #fleetOf(workflow: string): Promise<Fleet> {
    const known = this.#fleets.get(workflow) ?? this.#loadFleet(workflow);
    this.#fleets.set(workflow, known);
    known.catch(() => this.#fleets.delete(workflow));
    return known;
  }

  async #loadFleet(workflow: string): Promise<Fleet> {
    const fleet = (await this.#askRollout(workflow, 'fleet')) as Fleet | null;
    if (fleet === null) throw new Error(`Restate does not have the fleet of ${workflow}`);
    return fleet;
  }

  #stepsFor(fleet: Fleet): Promise<MachineSteps> {
    const known = this.#steps.get(fleet.kubeconfig) ?? this.#options.stepsFor(fleet);
    this.#steps.set(fleet.kubeconfig, known);
    known.catch(() => this.#steps.delete(fleet.kubeconfig));
    return known;
  }

  async #act(action: FleetAction, host: HostStatus | undefined): Promise<void> {
    if (!isApproval(action)) {
      await this.#call('act', action);
      return;
    }
    const { rollout } = this.board.status();
    const fleet = await this.#fleetOf(rollout);
    const machine = fleet.hosts.find(({ name }) => name === action.host);
    if (machine === undefined || host?.run === undefined) throw new Error(`host ${action.host} has no run`);
    const context = { fleet, rollout, host: machine, attempt: host.attempts, signal: this.#stopping.signal };
    const decision = action.action === 'approve' ? 'approved' : 'denied';
    const steps = await this.#stepsFor(fleet);
    await steps.answer(context, host.run, { step: action.step, decision, reason: '' });
  }
}

/** Such as `rack-7-20261201-100210-5be1`. */
const rolloutId = (fleet: string, now: Date): string =>
  [
    fleet,
    now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-'),
    randomBytes(2).toString('hex'),
  ].join('-');
