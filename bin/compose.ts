/** The composition root: which phases there are, and which host a run gets. The only file that knows every folder. */
import { resolve } from 'node:path';
import { container, type DependencyContainer, instanceCachingFactory } from 'tsyringe';
import { MachineFiles } from '../engine/host/files.ts';
import type { Host } from '../engine/host/host.ts';
import { type Lock, lockMachine } from '../engine/host/lock.ts';
import { type RealHost, realHost } from '../engine/host/real.ts';
import { recordingHost } from '../engine/host/recording.ts';
import { Runs } from '../engine/journal/runs.ts';
import { kubeAccess } from '../engine/kube/access.ts';
import { kubeadmGates } from '../engine/kubeadm/gates.ts';
import { kubeadmPhases } from '../engine/kubeadm/phases.ts';
import { Registry } from '../engine/pipeline/registry.ts';
import type { AnyPhase } from '../engine/sdk/index.ts';
import assertPhase from '../phases/assert/index.ts';
import clusterConfig from '../phases/cluster-config/index.ts';
import command from '../phases/command/index.ts';
import discoveryFile from '../phases/discovery-file/index.ts';
import discoveryToken from '../phases/discovery-token/index.ts';
import doctor from '../phases/doctor/index.ts';
import dynamicKubeletConfig from '../phases/dynamic-kubelet-config/index.ts';
import file from '../phases/file/index.ts';
import http from '../phases/http/index.ts';
import kernelModule from '../phases/kernel-module/index.ts';
import kubeconfig from '../phases/kubeconfig/index.ts';
import kubeletConfig from '../phases/kubelet-config/index.ts';
import kubeletStart from '../phases/kubelet-start/index.ts';
import kubeletVersion from '../phases/kubelet-version/index.ts';
import kubeletWaitBootstrap from '../phases/kubelet-wait-bootstrap/index.ts';
import nodeReady from '../phases/node-ready/index.ts';
import preflight from '../phases/preflight/index.ts';
import preflightCluster from '../phases/preflight-cluster/index.ts';
import reset from '../phases/reset/index.ts';
import service from '../phases/service/index.ts';
import sysctl from '../phases/sysctl/index.ts';
import tlsBootstrap from '../phases/tls-bootstrap/index.ts';
import waitFor from '../phases/wait-for/index.ts';

const PHASE = Symbol('phase');
const REGISTRY = Symbol('registry');
const MACHINE = Symbol('machine');
const HOST = Symbol('host');

// Each phase registers by itself: none knows another, and a plugin's phases are registered the same way.
for (const phase of [
  preflight,
  discoveryFile,
  discoveryToken,
  clusterConfig,
  preflightCluster,
  kubeletVersion,
  tlsBootstrap,
  kubeconfig,
  kubeletConfig,
  kubeletStart,
  kubeletWaitBootstrap,
  nodeReady,
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
])
  container.register<AnyPhase>(PHASE, { useValue: phase });

container.register<Registry>(REGISTRY, {
  useFactory: instanceCachingFactory((context) => {
    const registry = new Registry();
    for (const phase of context.resolveAll<AnyPhase>(PHASE)) registry.add(phase);
    for (const gate of kubeadmGates) registry.addGate(gate);
    for (const [name, steps] of Object.entries(kubeadmPhases)) registry.addGroup(name, steps);
    return registry;
  }),
});

export const registry = (): Registry => container.resolve<Registry>(REGISTRY);

export interface RunScope {
  host: Host;
  /** As it is, whatever was recorded. */
  machine: Host;
  /** What is remembered of earlier runs. */
  runs: Runs;
  /** Keeps other runs away from the machine until it is closed, and removes what killed ones have left. E_RUN_LOCKED. */
  lock(): Promise<void>;
  /** Closes what the run has opened. */
  close(): Promise<void>;
}

/** What one run gets: a container of its own, with this machine (or the one below `root`), recorded where it is a dry run. */
export async function openRun({ root, dryRun = false }: { root: string; dryRun?: boolean }): Promise<RunScope> {
  const scope: DependencyContainer = container.createChildContainer();
  scope.register<RealHost>(MACHINE, { useValue: await realHost(resolve(root), { access: kubeAccess }) });
  scope.register<Host>(HOST, {
    useFactory: (context) => {
      const machine = context.resolve<RealHost>(MACHINE);
      return dryRun ? recordingHost(machine) : machine;
    },
  });
  const runs = new Runs(new MachineFiles(resolve(root)));
  let held: Lock | undefined;
  return {
    host: scope.resolve<Host>(HOST),
    machine: scope.resolve<RealHost>(MACHINE),
    runs,
    async lock() {
      held = await lockMachine(resolve(root));
      await runs.tidy();
    },
    async close() {
      await held?.release();
      await scope.resolve<RealHost>(MACHINE).close();
      scope.clearInstances();
    },
  };
}
