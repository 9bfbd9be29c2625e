/** Runs a rollout in this process until it ends or the operator stops it. */
import { once } from 'node:events';
import type { Fleet } from '../../engine/fleet/fleet.ts';
import type { MachineSteps } from '../../engine/fleet/machine.ts';
import { Operator } from '../../engine/fleet/operator.ts';
import type { Begun } from '../../engine/fleet/restate/names.ts';
import type { FleetStatus } from '../../engine/fleet/status.ts';
import { FleetCluster } from '../../engine/fleet/steps/cluster.ts';
import { executablesIn } from '../../engine/fleet/steps/executable.ts';
import { machineSteps } from '../../engine/fleet/steps/index.ts';
import { openMachines } from '../../engine/fleet/transports/index.ts';
import { readAdmin } from '../../engine/kube/admin.ts';
import { Transport } from '../../engine/kube/request.ts';
import { defined, fail } from '../../engine/sdk/index.ts';
import pjson from '../../package.json' with { type: 'json' };
import type { Assets } from '../assets.ts';
import { readText } from '../inputs/read-text.ts';
import { serveDashboard } from './dashboard.ts';
import { chooseRestate } from './restate.ts';
import { folderOf } from './state.ts';

export interface OperateRequest {
  assets: Assets;
  fleet: string;
  maxParallel: number;
  /** The executable for the machines. Default: that of the release beside this one. */
  executable: string | undefined;
  /** Of the dashboard. Default: a free one. */
  port: number | undefined;
  /** Called with the link to the dashboard before anything begins. Without it, only `join fleet ui` opens one. */
  announce: ((link: string) => void) | undefined;
  begin(operator: Operator): Promise<Begun>;
  /** Called when the rollout has begun. The returned function ends the view. */
  view(operator: Operator, begun: Begun): () => void;
}

/** The status with which the rollout ends. E_CANCELLED if a signal stops the operator; the rollout can be continued. */
export async function operate(request: OperateRequest): Promise<FleetStatus> {
  const { assets, fleet, maxParallel, executable, port, announce } = request;
  const reach = new Reach(assets, executable);
  const operator = await Operator.start({
    fleet,
    folder: folderOf(fleet),
    maxParallel,
    restate: chooseRestate(assets.root),
    stepsFor: (document) => reach.stepsFor(document),
    dashboardFor: (board) => serveDashboard({ title: fleet, board, assets, ...defined({ port }) }),
  });
  try {
    announce?.(await operator.link());
    const begun = await request.begin(operator);
    const endView = request.view(operator, begun);
    try {
      return await Promise.race([operator.finished(begun), stopped()]);
    } finally {
      endView();
    }
  } finally {
    await operator.close();
    await reach.close();
  }
}

async function stopped(): Promise<never> {
  const signal = await Promise.race(
    ['SIGINT', 'SIGTERM', 'SIGHUP'].map(async (name) => {
      await once(process, name);
      return name;
    }),
  );
  throw fail('E_FLEET_STOPPED', { signal });
}

/** Connections to the machines and to the cluster. */
class Reach {
  readonly #assets: Assets;
  readonly #executable: string | undefined;
  readonly #closing: (() => Promise<void>)[] = [];

  constructor(assets: Assets, executable: string | undefined) {
    this.#assets = assets;
    this.#executable = executable;
  }

  async stepsFor({ kubeconfig }: Fleet): Promise<MachineSteps> {
    const admin = await readAdmin(kubeconfig, readText);
    const transport = new Transport(() => new Date());
    const machines = openMachines(this.#assets.program);
    this.#closing.push(
      () => transport.close(),
      () => machines.close(),
    );
    const { signal } = new AbortController(); // each request has its own time limits
    return machineSteps({
      cluster: new FleetCluster(admin, (request) => transport.send(request, signal)),
      machines,
      executables: executablesIn(releaseFolder(this.#assets), pjson.version, this.#executable),
      now: () => new Date(),
    });
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#closing.map((close) => close()));
  }
}

/** The files of a release are beside the executable, and in a checkout in dist/release. */
const releaseFolder = ({ program, root }: Assets): string =>
  program.length === 1 ? (program[0] ?? '').replace(/\/[^/]*$/, '') : `${root}/dist/release`;
