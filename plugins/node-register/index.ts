/** Creates the Node with the node's own identity, like its kubelet. The README says when that helps. */
import type { Sdk } from '../../engine/node/sdk.ts';
import type { Files } from '../../engine/sdk/index.ts';
import { type Registration, readRegistration } from './report.ts';

export const nodeRegister = (sdk: Sdk) =>
  sdk.definePhase({
    name: 'node-register',
    summary: 'Create the Node before the kubelet starts, so that it is Ready sooner',
    input: { type: 'object', additionalProperties: false },
    output: {
      type: 'object',
      properties: { created: { type: 'boolean', description: 'Whether this step created the Node' } },
      required: ['created'],
    },
    effects: [sdk.apiCalls(['create'], 'nodes', 'the Node, not Ready')],
    irreversible: 'the Node remains until an administrator deletes it; no credentials on this machine allow that',

    async run({ files, services, kube, clock, log }) {
      const held = await sdk.node.kubeletIdentity(files);
      if (held === undefined) {
        log.info('nothing to do: the kubelet requests its own certificate, so there is no identity yet');
        return { created: false };
      }
      if ((await services.status('kubelet')).active) {
        log.info('nothing to do: the kubelet is already running');
        return { created: false };
      }
      const registration = await readRegistration(sdk, { files, services });
      if (registration.refused !== undefined)
        throw sdk.JoinError.own({
          code: 'E_NODE_REGISTER',
          message: `cannot create the Node for the kubelet: ${registration.refused}`,
          hint: 'Remove the step node-register from the pipeline; the kubelet then registers by itself.',
        });
      const { server, ca, certificate: pem, key, nodeName } = held;
      const node = nodeOf(nodeName, registration, await capacityOf(files, registration), timeOf(clock.now()));
      const created = await kube.as({ server, ca, certificate: { pem, key } }).create(sdk.node.nodeRef(nodeName), node);
      log.info(
        created === undefined ? `Node ${nodeName} already exists` : `created Node ${nodeName}, which is not Ready yet`,
      );
      return { created: created !== undefined };
    },
  });

const timeOf = (now: Date): string => now.toISOString().replace(/\.\d+Z$/, 'Z');

function nodeOf(name: string, registration: Registration, capacity: Record<string, string>, now: string) {
  const { labels, annotations, taints, providerId } = registration;
  const reason = { reason: 'KubeletNotReady', message: 'the kubelet has not started yet' };
  const times = { lastHeartbeatTime: now, lastTransitionTime: now };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels }, annotations },
    spec: {
      ...(taints.length === 0 ? {} : { taints }),
      ...(providerId === undefined ? {} : { providerID: providerId }),
    },
    // Kubelet 1.20 writes into the capacity of an existing Node, and panics if it is missing.
    status: { capacity, allocatable: capacity, conditions: [{ type: 'Ready', status: 'False', ...reason, ...times }] },
  };
}

/** A first estimate from /proc; the kubelet corrects it with its first status. */
async function capacityOf(files: Files, { pods }: Registration): Promise<Record<string, string>> {
  const text = async (path: string) => (await files.read(path))?.toString('utf8') ?? '';
  const processors = (await text('/proc/cpuinfo')).match(/^processor\b/gm)?.length ?? 1;
  const memoryKib = /^MemTotal:\s+(\d+) kB/m.exec(await text('/proc/meminfo'))?.[1];
  return { cpu: String(processors), ...(memoryKib === undefined ? {} : { memory: `${memoryKib}Ki` }), pods };
}

export default (sdk: Sdk) => sdk.definePlugin({ phases: [nodeRegister(sdk)] });
