/** `@joinery/cli/testing`: the test kit for plugins, for any test runner. */
import { fileURLToPath } from 'node:url';
import { Transport } from '../engine/kube/request.ts';
import { watchObject } from '../engine/kube/watch.ts';
import { inspectPlugin } from '../engine/plugins/inspect.ts';
import { type LoadedPlugin, loadPlugin } from '../engine/plugins/load.ts';
import type { AnyPhase } from '../engine/sdk/index.ts';
import { type MemoryMachine, memoryHost } from '../engine/testing/memory-host.ts';
import pjson from '../package.json' with { type: 'json' };
import { CA_NAME, issueKeyPair } from '../plugins/sandbox/certificates.ts';
import { type Sandbox, type SandboxOptions, startSandbox } from '../plugins/sandbox/index.ts';
import { sdk } from './plugins/sdk.ts';

export { recordingHost } from '../engine/host/recording.ts';
export { type ContractCase, itKeepsThePhaseContract } from '../engine/testing/contract.ts';
export { mortalStore } from '../engine/testing/kills.ts';
export { type Outcome, runPhase, undoPhase } from '../engine/testing/run-phase.ts';
export { SimulatedTime } from '../engine/testing/simulated-time.ts';
export { type MemoryMachine, memoryHost, sdk };

/** Loads the plugin in `folder` with the checks of `join`. `phase` throws if the plugin has no phase of that name. */
export async function pluginIn(folder: string | URL): Promise<LoadedPlugin & { phase(name: string): AnyPhase }> {
  const path = folder instanceof URL ? fileURLToPath(folder) : folder;
  const plugin = await loadPlugin(await inspectPlugin(path, pjson.version, { isShipped: true }), {
    importer: (url) => import(url),
    sdk,
  });
  return {
    ...plugin,
    phase(name) {
      const found = plugin.phases.find((phase) => phase.name === name);
      if (found === undefined) throw new Error(`${plugin.manifest.name} has no phase ${name}`);
      return found;
    },
  };
}

export interface TestCluster {
  sandbox: Sandbox;
  /** Inputs of phases: the URL of the API server and its CA, PEM. */
  server: string;
  ca: string;
  /** A client certificate of this cluster and its key, both PEM: `identityOf('system:node:w1', ['system:nodes'])`. */
  identityOf(user: string, groups: string[]): { certificate: string; key: string };
  /** A machine in memory that sends real requests to this cluster. */
  machine(machine?: MemoryMachine): MemoryMachine;
  close(): Promise<void>;
}

/** A sandbox control plane in this process, with everything that a join needs. */
export async function sandboxCluster(options: SandboxOptions = {}): Promise<TestCluster> {
  const sandbox = await startSandbox(options);
  const now = options.now ?? (() => new Date());
  const transport = new Transport(now);
  const { signal } = new AbortController();
  const notAfter = new Date(now().getTime() + 365 * 86_400_000);
  const authority = { name: CA_NAME, cert: sandbox.caPem, key: sandbox.caKeyPem, pin: sandbox.caPin, notAfter };
  return {
    sandbox,
    server: `https://${sandbox.endpoint}`,
    ca: sandbox.caPem,
    identityOf(commonName, organizations) {
      const { cert, key } = issueKeyPair(authority, now(), { commonName, organizations }, 'client');
      return { certificate: cert, key };
    },
    machine: (machine = {}) => ({
      now,
      send: (request) => transport.send(request, signal),
      wait: async (condition, stop) => {
        if (condition.kind !== 'object') throw new Error(`this machine cannot wait for ${condition.kind}`);
        return watchObject(transport, condition, stop);
      },
      ...machine,
    }),
    async close() {
      await transport.close();
      await sandbox.close();
    },
  };
}
