/**
 * Labels that a node may set on its own Node. Source: the admission plugin NodeRestriction, and KEP-279 (limit node
 * access).
 */

const RESERVED = /(^|\.)(kubernetes|k8s)\.io\//;
const ALLOWED_PREFIX = /^([\w-]+\.)*(kubelet|node)\.kubernetes\.io\//;
const ALLOWED = new Set([
  ...['hostname', 'arch', 'os'].map((name) => `kubernetes.io/${name}`),
  ...['arch', 'os', 'instance-type'].map((name) => `beta.kubernetes.io/${name}`),
  ...['failure-domain.beta', 'topology'].flatMap((domain) =>
    ['region', 'zone'].map((name) => `${domain}.kubernetes.io/${name}`),
  ),
]);
const VALUE = /^([A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?)?$/;
const KEY = /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?$/;

/** Reason why a node may not set this label on itself, or undefined. */
export function labelProblem([key, value]: [string, string]): string | undefined {
  if (!KEY.test(key)) return `label ${key} is not a valid name`;
  if (!VALUE.test(value))
    return `label ${key} cannot be ${JSON.stringify(value)}: at most 63 letters, digits, -, _ and .`;
  if (!RESERVED.test(key) || ALLOWED.has(key) || ALLOWED_PREFIX.test(key)) return undefined;
  if (/(^|\.)node-restriction\.kubernetes\.io\//.test(key))
    return `a node is not allowed to set label ${key}, so that a compromised node cannot attract workloads`;
  return (
    `label ${key} is reserved: of the labels of kubernetes.io and k8s.io, a node may set only ` +
    'node.kubernetes.io/*, kubelet.kubernetes.io/* and a few others'
  );
}

export const taintProblem = (taint: string): string =>
  `taint ${taint}: a node can set its taints only when it registers: pass it to the kubelet as ` +
  '--register-with-taints (KUBELET_EXTRA_ARGS in /etc/default/kubelet) before kubelet-start';
