/**
 * The admission plugin NodeRestriction: a kubelet may write its own Node, Lease and mirror Pods, and only some fields
 * of its Node.
 */
import { isDeepStrictEqual } from 'node:util';
import { isRecord, type KubeObject, type Node } from '../objects.ts';
import type { User } from './authentication.ts';
import { resourceNamed } from './resources.ts';
import { forbidden } from './status.ts';

const NODE_USER = 'system:node:';
const ALLOWED_LABEL =
  /^(kubernetes\.io\/(hostname|os|arch)|beta\.kubernetes\.io\/(os|arch|instance-type)|(failure-domain\.beta|topology)\.kubernetes\.io\/(zone|region)|node\.kubernetes\.io\/instance-type|([\w.-]+\.)?(kubelet|node)\.kubernetes\.io\/.+)$/;
const RESERVED_LABEL = /^([\w.-]+\.)?(kubernetes|k8s)\.io\//;

/** Throws Forbidden. `before` is the stored object on an update. */
export function restrictNode(user: User, plural: string, object: KubeObject, before: KubeObject | undefined): void {
  if (!user.groups.includes('system:nodes') || !user.name.startsWith(NODE_USER)) return;
  const self = user.name.slice(NODE_USER.length);
  const { name } = object.metadata;
  const refuse = (why: string) => forbidden(resourceNamed(plural), name, why);
  if (plural === 'leases' && (object.metadata.namespace !== 'kube-node-lease' || name !== self))
    throw refuse('can only access node lease with the same name as the requesting node');
  if (plural === 'pods' && !isMirrorPodOf(self, object)) throw refuse('can only create mirror pods of its own node');
  if (plural !== 'nodes') return;
  if (name !== self) throw refuse(`node "${self}" is not allowed to modify node "${name}"`);
  const problem = nodeProblem(self, object as Node, before as Node | undefined);
  if (problem !== undefined) throw refuse(problem);
}

const isMirrorPodOf = (self: string, { metadata, spec }: KubeObject): boolean =>
  metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined && isRecord(spec) && spec.nodeName === self;

function nodeProblem(self: string, node: Node, before: Node | undefined): string | undefined {
  const { configSource, taints } = node.spec ?? {};
  if (configSource !== undefined && !isDeepStrictEqual(configSource, before?.spec?.configSource))
    return `node "${self}" is not allowed to update configSource to a new non-nil configSource`;
  if (before !== undefined && !isDeepStrictEqual(taints, before.spec?.taints))
    return `node "${self}" is not allowed to modify taints`;
  const labels = reservedLabels(node, before);
  return labels.length === 0 ? undefined : `is not allowed to modify labels: ${labels.join(', ')}`;
}

function reservedLabels({ metadata }: Node, before: Node | undefined): string[] {
  const { labels: now = {} } = metadata;
  const { labels: then = {} } = before?.metadata ?? {};
  return [...new Set([...Object.keys(now), ...Object.keys(then)])]
    .filter((label) => now[label] !== then[label] && RESERVED_LABEL.test(label) && !ALLOWED_LABEL.test(label))
    .sort();
}
