/** Documents of the cluster that are complete and wrong: cluster-info, kubeadm-config and kubelet-config. */
import type { Fault as ApiFault } from '../../plugins/sandbox/index.ts';
import { clusterInfo } from './cluster-infos.ts';
import type { Fault } from './fault.ts';
import { changed, type Ends, EVIL, FIRST, INVALID, KUBELET_CONFIG, row } from './row.ts';

const data = (key: string, text: unknown): ApiFault =>
  changed((map: { data: object }) => ({ ...map, data: { ...map.data, [key]: text } }));
const kubelet = (name: string, text: unknown, ends: Ends = KUBELET_CONFIG): Fault =>
  row(`a kubelet configuration ${name}`, 'kubelet-config get', data('kubelet', text), ends);
const kubeadm = (name: string, text: unknown): Fault =>
  row(`a ClusterConfiguration ${name}`, 'kubeadm-config get', data('ClusterConfiguration', text), KUBELET_CONFIG);
const adds = (lines: string): ApiFault =>
  changed((map: { data: { kubelet: string } }) => ({ ...map, data: { kubelet: `${map.data.kubelet}${lines}` } }));
const without = (field: string, line: string): ApiFault =>
  changed((map: { data: { kubelet: string } }) => ({
    ...map,
    data: { kubelet: map.data.kubelet.replace(new RegExp(`^${field}: .*$`, 'm'), line) },
  }));
const bomb = [
  'a: &a [x, x, x, x, x, x, x, x, x]',
  ...'bcdefgh'.split('').map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefg'[i]}`).join(', ')}]`),
].join('\n');
const broken: [name: string, text: string][] = [
  ['that is not YAML', '{{{{'],
  ['that is empty', ''],
  ['that is a list', '- 1\n- 2\n'],
  ['100,000 levels deep', '['.repeat(100_000)],
  ['of dashes', '- '.repeat(50_000)],
  ['that is an alias bomb', bomb],
  ['with an alias to nothing', 'a: *nothing\n'],
  ['of 300 KiB', `a: ${'x'.repeat(300 << 10)}`],
  ['of 20,000 fields', Array.from({ length: 20_000 }, (_, i) => `k${i}: 1`).join('\n')],
  ['with a field twice', 'kind: KubeletConfiguration\nkind: KubeletConfiguration\n'],
  ['of two documents', 'a: 1\n---\nb: 2\n'],
  ['with control characters', `kind: ${JSON.stringify(EVIL)}\nkubernetesVersion: ${JSON.stringify(EVIL)}\n`],
  ['with an alias of control characters', 'a: *\u009b31m\u202e\n'],
];
/** The same limits apply to every document. These rows prove that they are checked. */
const some = broken.filter(([name]) => /not YAML|levels|bomb|control/.test(name));
export const documents: Fault[] = [
  ...broken.map(([name, text]) => kubelet(name, text)),
  ...some.map(([name, text]) => kubeadm(name, text)),
  ...some.map(
    ([name, text]): Fault => ({
      name: `a kubeconfig ${name}, signed`,
      where: FIRST,
      inject: (scene) => clusterInfo(scene, text),
      ends: INVALID,
    }),
  ),
  kubelet('that is a number', 5),
  row('a kubelet configuration of another kind', 'kubelet-config get', without('kind', 'kind: Pod'), KUBELET_CONFIG),
  row(
    'a health port that is a text',
    'kubelet-config get',
    without('healthzPort', `healthzPort: ${JSON.stringify(EVIL)}`),
    KUBELET_CONFIG,
  ),
  row('a health port out of range', 'kubelet-config get', without('healthzPort', 'healthzPort: 99999'), KUBELET_CONFIG),
  row(
    'a health address that is another URL',
    'kubelet-config get',
    without('healthzBindAddress', 'healthzBindAddress: "evil/?"'),
    KUBELET_CONFIG,
  ),
  row(
    'a cgroup driver with control characters',
    'kubelet-config get',
    adds(`cgroupDriver: ${JSON.stringify(EVIL)}\n`),
    KUBELET_CONFIG,
  ),
  row('a field __proto__', 'kubelet-config get', adds('__proto__: { polluted: true }\n'), 'survives'),
  kubeadm('whose version has a toString', 'kubernetesVersion: { toString: 1 }\n'),
  kubeadm('of another time', 'kubernetesVersion: v99\n'),
];
