/** Labels and annotations of the Node, set by its own identity: as far as NodeRestriction lets it. */
import type { NodeObject } from '../../engine/node/index.ts';
import type { Sdk } from '../../engine/node/sdk.ts';
import type { KubeApi, Ports } from '../../engine/sdk/index.ts';
import { labelProblem, taintProblem } from './rules.ts';
import { input, output } from './schema.ts';

type Texts = Record<string, string>;

export const nodeMetadata = (sdk: Sdk) => {
  const own = async ({
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
      message: `a node may not set this by itself: ${problems.join('; ')}`,
      hint: 'With an admin kubeconfig: kubectl label node NAME key=value, kubectl taint node NAME key=value:Effect',
    });

  return sdk.definePhase({
    name: 'node-metadata',
    summary: "Set labels and annotations of the Node, by the node's own identity",
    input,
    output,
    effects: [sdk.apiCalls(['watch', 'get', 'patch'], 'nodes', 'its labels and annotations')],

    async run(ports, { labels, annotations, taints }) {
      const problems = [...Object.entries(labels).map(labelProblem), ...taints.map(taintProblem)];
      const wrong = problems.filter((problem) => problem !== undefined);
      if (wrong.length > 0) throw refuse(wrong);
      const node = await own(ports);
      if (node === undefined)
        throw refuse(['there is no identity on this machine yet: put the step behind node-ready']);
      const ref = sdk.node.nodeRef(node.name);
      const { metadata } = await node.api.waitFor<NodeObject>(ref, (found) => found !== undefined);
      const missing = {
        labels: without(labels, metadata.labels),
        annotations: without(annotations, metadata.annotations),
      };
      if (Object.keys({ ...missing.labels, ...missing.annotations }).length === 0) return {};
      await node.api.patch<NodeObject>(ref, { metadata: missing });
      return {};
    },

    /** What has another value by now is somebody else's. What was there before this run is not known any more. */
    async undo(ports, { labels, annotations }) {
      const node = await own(ports);
      if (node === undefined) return;
      try {
        const ref = sdk.node.nodeRef(node.name);
        const there = (await node.api.get<NodeObject>(ref))?.metadata;
        const ours = { labels: removed(labels, there?.labels), annotations: removed(annotations, there?.annotations) };
        if (Object.keys({ ...ours.labels, ...ours.annotations }).length > 0)
          await node.api.patch<NodeObject>(ref, { metadata: ours });
      } catch (error) {
        ports.log.warn(`labels and annotations of Node ${node.name} stay (${sdk.clean((error as Error).message)})`);
      }
    },
  });
};

const without = (wanted: Texts, there: Texts = {}): Texts =>
  Object.fromEntries(Object.entries(wanted).filter(([key, value]) => there[key] !== value));
const removed = (wanted: Texts, there: Texts = {}): Record<string, null> =>
  Object.fromEntries(Object.entries(wanted).flatMap(([key, value]) => (there[key] === value ? [[key, null]] : [])));

export default (sdk: Sdk) => sdk.definePlugin({ phases: [nodeMetadata(sdk)] });
