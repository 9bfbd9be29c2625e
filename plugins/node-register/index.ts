/** Creates the Node by the node's own new identity, as its kubelet would; the README says why nobody has to. */
import type { Sdk } from '../../engine/node/sdk.ts';
import type { Files } from '../../engine/sdk/index.ts';
import { type Told, toldToKubelet } from './report.ts';

export const nodeRegister = (sdk: Sdk) =>
  sdk.definePhase({
    name: 'node-register',
    summary: 'Create the Node before its kubelet starts, so that it is Ready sooner',
    input: { type: 'object', additionalProperties: false },
    output: {
      type: 'object',
      properties: { created: { type: 'boolean', description: 'There was no such Node before' } },
      required: ['created'],
    },
    effects: [sdk.apiCalls(['create'], 'nodes', 'the Node, not Ready')],
    irreversible: 'the Node stays until somebody deletes it: no identity on the machine may',

    async run({ files, services, kube, clock, log }) {
      const held = await sdk.node.kubeletIdentity(files);
      if (held === undefined) {
        log.info('nothing to do: the kubelet asks for its certificate itself, and nobody has an identity before');
        return { created: false };
      }
      if ((await services.status('kubelet')).active) {
        log.info('nothing to do: the kubelet runs already');
        return { created: false };
      }
      const told = await toldToKubelet(sdk, { files, services });
      if (told.refused !== undefined)
        throw sdk.JoinError.own({
          code: 'E_NODE_REGISTER',
          message: `the Node cannot be created for its kubelet: ${told.refused}`,
          hint: 'Leave the step node-register out of the pipeline; the kubelet registers by itself.',
        });
      const { server, ca, certificate: pem, key, nodeName } = held;
      const node = nodeOf(nodeName, told, await capacityOf(files, told), timeOf(clock.now()));
      const made = await kube.as({ server, ca, certificate: { pem, key } }).create(sdk.node.nodeRef(nodeName), node);
      log.info(
        made === undefined ? `Node ${nodeName} is there already` : `Node ${nodeName} is created, and not Ready yet`,
      );
      return { created: made !== undefined };
    },
  });

const timeOf = (now: Date): string => now.toISOString().replace(/\.\d+Z$/, 'Z');

function nodeOf(name: string, told: Told, capacity: Record<string, string>, now: string) {
  const { labels, annotations, taints, providerId } = told;
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
    // Kubelet 1.20 writes into the capacity of the Node that it finds, and panics where there is none.
    status: { capacity, allocatable: capacity, conditions: [{ type: 'Ready', status: 'False', ...reason, ...times }] },
  };
}

/** As far as the machine says it at once; the kubelet corrects it with its first status. */
async function capacityOf(files: Files, { pods }: Told): Promise<Record<string, string>> {
  const text = async (path: string) => (await files.read(path))?.toString('utf8') ?? '';
  const processors = (await text('/proc/cpuinfo')).match(/^processor\b/gm)?.length ?? 1;
  const memoryKib = /^MemTotal:\s+(\d+) kB/m.exec(await text('/proc/meminfo'))?.[1];
  return { cpu: String(processors), ...(memoryKib === undefined ? {} : { memory: `${memoryKib}Ki` }), pods };
}

export default (sdk: Sdk) => sdk.definePlugin({ phases: [nodeRegister(sdk)] });
