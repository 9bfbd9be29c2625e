/** Scratch machines beside one sandbox, and the steps with which a fleet joins them. */
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Fleet, Host } from '../../engine/fleet/fleet.ts';
import type { MachineContext, MachineSteps } from '../../engine/fleet/machine.ts';
import { FleetCluster } from '../../engine/fleet/steps/cluster.ts';
import type { Executables } from '../../engine/fleet/steps/executable.ts';
import { machineSteps } from '../../engine/fleet/steps/index.ts';
import { openMachines } from '../../engine/fleet/transports/index.ts';
import type { Machine } from '../../engine/fleet/transports/machine.ts';
import { readAdmin } from '../../engine/kube/admin.ts';
import { Transport } from '../../engine/kube/request.ts';
import type { RunEvent } from '../../engine/run/run.ts';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../plugins/sandbox/index.ts';
import { makeMachine, stopMachine } from '../../plugins/sandbox/machine/machine.ts';
import { startRuntime } from '../../plugins/sandbox/machine/runtime.ts';
import { project } from '../bin/cli.ts';
import { atEnd } from './endings.ts';

/** The words that start the built command. */
export const OWN = [process.execPath, join(project, 'bin/join.cjs')];
/** On a scratch machine: the kubelets share this computer, so each needs a port of its own. */
const PATCHES = '/etc/joinery/patches';

export interface FleetScene {
  sandbox: Sandbox;
  cluster: FleetCluster;
  fleet: Fleet;
  steps: MachineSteps;
  /** Of the machine with this number, from 0. */
  context(number: number, change?: Partial<MachineContext>): MachineContext;
}

export interface FleetOptions extends SandboxOptions {
  hosts: number;
  /** Default: scratch machines need none. */
  executables?: Executables;
  approval?: Fleet['approval'];
  /** Stands in front of the machine of each host. */
  around?: (machine: Machine) => Machine;
}

/** The end of the test removes everything. */
export async function fleetScene({ hosts, ...options }: FleetOptions): Promise<FleetScene> {
  const { approval = 'cluster', around = (machine) => machine, executables = noExecutable } = options;
  const sandbox = await startSandbox(options);
  atEnd(() => sandbox.close());
  const folder = await mkdtemp(join(tmpdir(), 'fleet-'));
  atEnd(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  const kubeconfig = join(folder, 'admin.conf');
  await writeFile(kubeconfig, sandbox.adminKubeconfig, { mode: 0o600 });
  const members: Host[] = [];
  for (let number = 1; number <= hosts; number++) members.push(await scratchHost(folder, `w${number}`));
  const fleet: Fleet = {
    name: 'rack',
    kubeconfig,
    hosts: members,
    pipelines: { worker: 'join-worker', 'control-plane': 'join-control-plane' },
    environments: [],
    rollout: {
      waves: ['rest'],
      maxParallel: 4,
      failureBudget: { hosts: 0 },
      soakMs: 0,
      proceedIf: undefined,
      onBudgetExceeded: 'stop',
    },
    tokenTtlMs: 15 * 60_000,
    approval,
  };
  const cluster = await adminCluster(sandbox);
  const machines = openMachines(OWN);
  atEnd(() => machines.close());
  const steps = machineSteps({
    cluster,
    machines: { ...machines, of: async (host) => around(await machines.of(host)) },
    executables,
    now: () => new Date(),
  });
  return {
    sandbox,
    cluster,
    fleet,
    steps,
    context(number, change = {}) {
      const host = members[number];
      if (host === undefined) throw new Error(`the fleet has no machine ${number}`);
      return { fleet, rollout: 'rack-1', host, attempt: 1, signal: new AbortController().signal, ...change };
    },
  };
}

const noExecutable: Executables = async () => {
  throw new Error('a scratch machine needs no executable');
};

async function adminCluster({ adminKubeconfig }: Sandbox): Promise<FleetCluster> {
  const admin = await readAdmin('admin.conf', async () => adminKubeconfig);
  const transport = new Transport(() => new Date());
  atEnd(() => transport.close());
  return new FleetCluster(admin, (request) => transport.send(request, new AbortController().signal));
}

async function scratchHost(folder: string, name: string): Promise<Host> {
  const root = join(folder, name);
  await mkdir(root);
  await makeMachine(root, { hostName: name, kubelet: [...OWN, 'sandbox', 'kubelet'] });
  const patch = join(root, PATCHES, 'kubeletconfiguration+merge.yaml');
  await mkdir(dirname(patch), { recursive: true });
  await writeFile(patch, `healthzPort: ${await freePort()}\n`);
  const runtime = await startRuntime(root, { cgroupDriver: 'systemd' });
  atEnd(() => runtime.close());
  atEnd(() => stopMachine(root).catch(() => undefined));
  const transport = { kind: 'local', root } as const;
  return {
    name,
    address: name,
    transport,
    role: 'worker',
    labels: {},
    environments: [],
    variables: { patches: PATCHES },
  };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

/** All steps of a join, in their order. Returns the events. */
export async function joinMachine(steps: MachineSteps, context: MachineContext): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  await steps.reach(context);
  await steps.install(context);
  const found = await steps.inspect(context);
  const token = await steps.token(context);
  await steps.join(context, found, token, { fromSeq: 1, onEvent: (event) => events.push(event) });
  await steps.verify(context);
  await steps.revoke(context, token);
  return events;
}

/** The scratch root of the machine. */
export function rootOf({ host: { transport } }: MachineContext): string {
  if (transport.kind !== 'local') throw new Error('not a scratch machine');
  return transport.root;
}

/** IDs of the tokens in the cluster, without that of the sandbox itself. */
export const tokensIn = (sandbox: Sandbox): string[] =>
  sandbox.store
    .list('secrets')
    .map(({ metadata }) => metadata.name.replace('bootstrap-token-', ''))
    .filter((id) => !sandbox.token.startsWith(id));
