/** Checks the labels that the kubelet is to give its own Node. */
import { type Check, type Inputs, ok, problem } from './check.ts';

/** Source: the kubelet's list of labels that it may set, and the admission plugin NodeRestriction. */
const ALLOWED = new Set([
  'kubernetes.io/hostname',
  'kubernetes.io/instance-type',
  'kubernetes.io/os',
  'kubernetes.io/arch',
  'beta.kubernetes.io/instance-type',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
  'failure-domain.kubernetes.io/zone',
  'failure-domain.kubernetes.io/region',
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'node.kubernetes.io/instance-type',
]);
const ALLOWED_NAMESPACES = ['kubelet.kubernetes.io', 'node.kubernetes.io'];
const RESERVED = ['kubernetes.io', 'k8s.io'];

/** Source: Kubernetes API concepts, "Labels and Selectors". */
const WORD = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const WORD_LENGTH_MAX = 63;
const PREFIX = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

export const nodeLabels = ({ kubeletExtraArgs = [] }: Inputs): Check => ({
  name: 'NodeLabels',
  severity: 'error',
  addedBy: 'nodeLabelsRefused',
  passesIf: '`--node-labels` of the kubelet has only labels that a kubelet may give its own Node, as NAME=VALUE',
  hint:
    'Remove them from the arguments of the kubelet, and set them after the join: kubectl label node NODE ' +
    'LABEL=VALUE',
  async run() {
    const lists = kubeletExtraArgs.filter(({ name }) => name === 'node-labels').map(({ value = '' }) => value);
    const labels = lists.flatMap((list) => list.split(',')).filter((label) => label !== '');
    const malformed = labels.filter((label) => !isLabel(label));
    if (malformed.length > 0)
      return problem(`these labels do not have the form of a label, NAME=VALUE: ${malformed.join(', ')}`, {
        hint: 'Correct them in the arguments of the kubelet, which would not start or not register with them.',
      });
    const refused = labels.map((label) => label.split('=')[0]?.trim() ?? '').filter(isRefused);
    if (refused.length === 0) return ok('the kubelet may set all labels of its arguments');
    return problem(`a kubelet may not set these labels, and would not start: ${refused.join(', ')}`);
  },
});

function isLabel(text: string): boolean {
  const at = text.indexOf('=');
  const [name, value] = [text.slice(0, at).trim(), text.slice(at + 1).trim()];
  const [prefix, word = ''] = name.includes('/')
    ? [name.slice(0, name.indexOf('/')), name.slice(name.indexOf('/') + 1)]
    : ['x', name];
  return at > 0 && isWord(word) && PREFIX.test(prefix) && (value === '' || isWord(value));
}

const isWord = (text: string): boolean => text.length <= WORD_LENGTH_MAX && WORD.test(text);

function isRefused(name: string): boolean {
  const [namespace = '', plain] = name.split('/');
  const isWithin = (domain: string) => namespace === domain || namespace.endsWith(`.${domain}`);
  if (plain === undefined || ALLOWED.has(name) || !RESERVED.some(isWithin)) return false;
  return !ALLOWED_NAMESPACES.some(isWithin);
}
