/** Sets labels and annotations of the Node with the node's own identity, as far as NodeRestriction allows. */
import type { NodeObject } from '../../engine/node/index.ts';
import type { Sdk } from '../../engine/node/sdk.ts';
import type { KubeApi, Ports } from '../../engine/sdk/index.ts';
import { labelProblem, taintProblem } from './rules.ts';
import { input, output } from './schema.ts';

type Texts = Record<string, string>;

export const nodeMetadata = (sdk: Sdk) => {
  const ownNode = async ({
    files,
    kube,
  }: Pick<Ports, 'files' | 'kube'>): Promise<{ api: KubeApi; name: string } | undefined> => {
    const held = await sdk.node.kubeletIdentity(files);
    if (held === undefined) return undefined;
    const { server, ca, certificate: pem, key, nodeName: name } = held;
    return { api: kube.as({ server, ca, certificate: { pem, key } }), name };
  };
  const refuse = (problems: readonly string[]) =>
    sdk.JoinError.own({
      code: 'E_NODE_METADATA',
      message: `a node is not allowed to set this: ${problems.join('; ')}`,
      hint: 'With an admin kubeconfig: kubectl label node NAME key=value, kubectl taint node NAME key=value:Effect',
    });

  return sdk.definePhase({
    name: 'node-metadata',
    summary: "Set labels and annotations of the Node with the node's own identity",
    input,
    output,
    effects: [sdk.apiCalls(['watch', 'get', 'patch'], 'nodes', 'labels and annotations')],

    async run(ports, { labels, annotations, taints }) {
      const problems = [...Object.entries(labels).map(labelProblem), ...taints.map(taintProblem)];
      const wrong = problems.filter((problem) => problem !== undefined);
      if (wrong.length > 0) throw refuse(wrong);
      const node = await ownNode(ports);
      if (node === undefined)
        throw refuse(['this machine has no identity in the cluster yet: put this step after node-ready']);
      const ref = sdk.node.nodeRef(node.name);
      const { metadata } = await node.api.waitFor<NodeObject>(ref, (found) => found !== undefined);
      const missing = {
        labels: differences(labels, metadata.labels),
        annotations: differences(annotations, metadata.annotations),
      };
      if (Object.keys({ ...missing.labels, ...missing.annotations }).length === 0) return {};
      await node.api.patch<NodeObject>(ref, { metadata: missing });
      return {};
    },

    /** Removes only values that are still as this step set them. Values from before this run are unknown. */
    async undo(ports, { labels, annotations }) {
      const node = await ownNode(ports);
      if (node === undefined) return;
      try {
        const ref = sdk.node.nodeRef(node.name);
        const metadata = (await node.api.get<NodeObject>(ref))?.metadata;
        const ours = {
          labels: removals(labels, metadata?.labels),
          annotations: removals(annotations, metadata?.annotations),
        };
        if (Object.keys({ ...ours.labels, ...ours.annotations }).length > 0)
          await node.api.patch<NodeObject>(ref, { metadata: ours });
      } catch (error) {
        ports.log.warn(
          `could not remove the labels and annotations of Node ${node.name} (${sdk.clean((error as Error).message)})`,
        );
      }
    },
  });
};

/** Entries of `expected` that are missing in `current` or have another value there. */
const differences = (expected: Texts, current: Texts = {}): Texts =>
  Object.fromEntries(Object.entries(expected).filter(([key, value]) => current[key] !== value));

/** A patch that removes the entries that `current` has exactly as `expected`. */
const removals = (expected: Texts, current: Texts = {}): Record<string, null> =>
  Object.fromEntries(Object.entries(expected).flatMap(([key, value]) => (current[key] === value ? [[key, null]] : [])));

export default (sdk: Sdk) => sdk.definePlugin({ phases: [nodeMetadata(sdk)] });
