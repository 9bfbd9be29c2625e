/**
 * The composition root: tsyringe composes one `App` for a process. The only file that knows every folder.
 * Nothing is kept in module variables: a test composes an `App` of its own.
 */
import { resolve } from 'node:path';
import { container, type DependencyContainer, instanceCachingFactory } from 'tsyringe';
import { MachineFiles } from '../engine/host/files.ts';
import type { Host } from '../engine/host/host.ts';
import { type Lock, type LockHolder, lockHolder, lockMachine } from '../engine/host/lock.ts';
import { type RealHost, realHost } from '../engine/host/real.ts';
import { recordingHost } from '../engine/host/recording.ts';
import { Runs } from '../engine/journal/runs.ts';
import { kubeAccess } from '../engine/kube/access.ts';
import { kubeadmGates } from '../engine/kubeadm/gates.ts';
import { kubeadmPhases } from '../engine/kubeadm/phases.ts';
import { Registry } from '../engine/pipeline/registry.ts';
import type { Importer } from '../engine/plugins/load.ts';
import type { AnyPhase } from '../engine/sdk/index.ts';
import assertPhase from '../phases/assert/index.ts';
import checkEtcd from '../phases/check-etcd/index.ts';
import clusterConfig from '../phases/cluster-config/index.ts';
import command from '../phases/command/index.ts';
import controlPlaneCerts from '../phases/control-plane-certs/index.ts';
import controlPlaneKubeconfig from '../phases/control-plane-kubeconfig/index.ts';
import controlPlaneManifests from '../phases/control-plane-manifests/index.ts';
import discoveryFile from '../phases/discovery-file/index.ts';
import discoveryToken from '../phases/discovery-token/index.ts';
import doctor from '../phases/doctor/index.ts';
import downloadCerts from '../phases/download-certs/index.ts';
import dynamicKubeletConfig from '../phases/dynamic-kubelet-config/index.ts';
import etcdJoin from '../phases/etcd-join/index.ts';
import file from '../phases/file/index.ts';
import http from '../phases/http/index.ts';
import kernelModule from '../phases/kernel-module/index.ts';
import kubeconfig from '../phases/kubeconfig/index.ts';
import kubeletConfig from '../phases/kubelet-config/index.ts';
import kubeletStart from '../phases/kubelet-start/index.ts';
import kubeletVersion from '../phases/kubelet-version/index.ts';
import kubeletWaitBootstrap from '../phases/kubelet-wait-bootstrap/index.ts';
import localApiEndpoint from '../phases/local-api-endpoint/index.ts';
import markControlPlane from '../phases/mark-control-plane/index.ts';
import nodeReady from '../phases/node-ready/index.ts';
import preflight from '../phases/preflight/index.ts';
import preflightCluster from '../phases/preflight-cluster/index.ts';
import preflightControlPlane from '../phases/preflight-control-plane/index.ts';
import reset from '../phases/reset/index.ts';
import service from '../phases/service/index.ts';
import sysctl from '../phases/sysctl/index.ts';
import tlsBootstrap from '../phases/tls-bootstrap/index.ts';
import waitControlPlane from '../phases/wait-control-plane/index.ts';
import waitFor from '../phases/wait-for/index.ts';
import type { Assets } from './assets.ts';
import type { MachineConfig } from './inputs/values.ts';
import { Output } from './output.ts';
import { PipelineCatalog } from './pipelines.ts';
import { Plugins } from './plugins/plugins.ts';
import { Invocation } from './render/invocation.ts';

const PHASE = Symbol('phase');
const MACHINE = Symbol('machine');
const HOST = Symbol('host');

/** Each phase is registered separately: no phase knows another. The phases of plugins are added in the same way. */
const PHASES: readonly AnyPhase[] = [
  preflight,
  discoveryFile,
  discoveryToken,
  clusterConfig,
  preflightCluster,
  preflightControlPlane,
  kubeletVersion,
  tlsBootstrap,
  localApiEndpoint,
  downloadCerts,
  controlPlaneCerts,
  controlPlaneKubeconfig,
  controlPlaneManifests,
  checkEtcd,
  kubeconfig,
  kubeletConfig,
  kubeletStart,
  etcdJoin,
  kubeletWaitBootstrap,
  nodeReady,
  markControlPlane,
  waitControlPlane,
  dynamicKubeletConfig,
  assertPhase,
  command,
  file,
  http,
  kernelModule,
  service,
  sysctl,
  waitFor,
  reset,
  doctor,
];

/** The parts that commands use. */
export interface App {
  readonly assets: Assets;
  /** Phases and feature gates, including those of plugins once they are loaded. */
  readonly registry: Registry;
  /** Pipelines and environments. */
  readonly catalog: PipelineCatalog;
  readonly plugins: Plugins;
  /** Standard output and standard error. */
  readonly output: Output;
  /** How the user called this program. */
  readonly invocation: Invocation;
  /** Defaults from the machine, for the commands that use them. */
  machineConfig: MachineConfig;
  openMachine(options: MachineOptions): Promise<MachineSession>;
}

export interface AppOptions {
  assets: Assets;
  /** The launcher's own `import()`: a bundle that runs from a code cache has no `import()`. */
  importer?: Importer | undefined;
  /** Default: by its bare name. */
  invocation?: Invocation;
}

export interface MachineOptions {
  /** `/`, or the directory that stands for it. */
  root: string;
  /** Records changes instead of applying them. */
  dryRun?: boolean;
}

export interface MachineSession {
  /** What phases act on; in a dry run it records changes. */
  host: Host;
  /** The machine itself, even in a dry run. */
  machine: Host;
  /** Earlier runs on this machine. */
  runs: Runs;
  /** Locks the machine until `close`, and removes what killed runs left behind. E_RUN_LOCKED. */
  lock(): Promise<void>;
  /** Records which run holds the lock, for processes that find the machine locked. */
  announce(run: string): Promise<void>;
  /** Who holds the lock of the machine, if anyone does. */
  holder(): Promise<LockHolder | undefined>;
  close(): Promise<void>;
}

export function composeApp({ assets, importer = (url) => import(url), ...options }: AppOptions): App {
  const { invocation = new Invocation() } = options;
  const app = container.createChildContainer();
  for (const phase of PHASES) app.register<AnyPhase>(PHASE, { useValue: phase });
  app.register(Registry, { useFactory: instanceCachingFactory(registryOf) });
  app.register(PipelineCatalog, { useFactory: instanceCachingFactory(() => new PipelineCatalog(assets)) });
  app.register(Plugins, {
    useFactory: instanceCachingFactory(
      (parts) =>
        new Plugins({ assets, importer, registry: parts.resolve(Registry), catalog: parts.resolve(PipelineCatalog) }),
    ),
  });
  return {
    assets,
    registry: app.resolve(Registry),
    catalog: app.resolve(PipelineCatalog),
    plugins: app.resolve(Plugins),
    output: new Output(),
    invocation,
    machineConfig: { values: {}, environments: [] },
    openMachine: (options) => openMachine(app, options),
  };
}

function registryOf(parts: DependencyContainer): Registry {
  const registry = new Registry();
  for (const phase of parts.resolveAll<AnyPhase>(PHASE)) registry.add(phase);
  for (const gate of kubeadmGates) registry.addGate(gate);
  for (const [name, steps] of Object.entries(kubeadmPhases)) registry.addGroup(name, steps);
  return registry;
}

/** Each session has its own container, which is closed with it. */
async function openMachine(
  app: DependencyContainer,
  { root, dryRun = false }: MachineOptions,
): Promise<MachineSession> {
  const session = app.createChildContainer();
  session.register<RealHost>(MACHINE, { useValue: await realHost(resolve(root), { access: kubeAccess }) });
  session.register<Host>(HOST, {
    useFactory: (parts) => {
      const machine = parts.resolve<RealHost>(MACHINE);
      return dryRun ? recordingHost(machine) : machine;
    },
  });
  const runs = new Runs(new MachineFiles(resolve(root)));
  let held: Lock | undefined;
  return {
    host: session.resolve<Host>(HOST),
    machine: session.resolve<RealHost>(MACHINE),
    runs,
    async lock() {
      held = await lockMachine(resolve(root));
      await runs.tidy().catch(() => undefined); // remains of other runs do not stop this one
    },
    announce: async (run) => held?.announce(run),
    holder: () => lockHolder(resolve(root)),
    async close() {
      await held?.release();
      await session.resolve<RealHost>(MACHINE).close();
      session.clearInstances();
    },
  };
}
