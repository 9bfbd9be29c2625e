/** Patches, API servers and Nodes with which the components of a control plane do not start. */
import { fail } from '../../engine/sdk/index.ts';
import type { MemoryHost } from '../../engine/testing/memory-host.ts';
import controlPlaneManifests from '../../phases/control-plane-manifests/index.ts';
import markControlPlane from '../../phases/mark-control-plane/index.ts';
import waitControlPlane from '../../phases/wait-control-plane/index.ts';
import { NOW } from '../helpers/cluster.ts';
import { ADDRESS, CLUSTER, type Fault, fullDiskAt, withAdmin } from '../helpers/control-plane-faults.ts';

const manifests = (title: string, file: string, text: string, error: string): Fault => {
  const machine = withAdmin();
  return {
    title,
    phase: controlPlaneManifests,
    input: { clusterConfiguration: CLUSTER, advertiseAddress: ADDRESS, patches: '/p' },
    machine: { ...machine, files: { ...machine.files, [`/p/${file}`]: text } },
    error,
  };
};
const mark = (title: string, call: string, status: number, message: string, error: string): Fault => ({
  title,
  phase: markControlPlane,
  input: { nodeName: 'cp2', clusterConfiguration: CLUSTER },
  machine: withAdmin({ [call]: { status, message } }),
  error,
});
const unhealthy = (host: MemoryHost): void => {
  host.wait = async (condition) => {
    const url = condition.kind === 'healthy' ? condition.url : '';
    throw fail('E_HEALTH', { service: 'kubelet', url, lastLine: 'back-off restarting failed container' });
  };
};
const started = (title: string, more: Partial<Fault>, error: string): Fault => ({
  title,
  phase: waitControlPlane,
  input: { advertiseAddress: ADDRESS },
  machine: withAdmin(),
  error,
  ...more,
});

export const components: Fault[] = [
  manifests(
    'a patch without containers',
    'kube-apiserver.yaml',
    'spec: { containers: null }\n',
    'E_PATCH: cannot apply the patch /p: the patches leave kube-apiserver without a name or containers',
  ),
  manifests(
    'a patch that is not YAML',
    'kube-scheduler0.yaml',
    'a: [\n',
    'E_PATCH: cannot apply the patch /p/kube-scheduler0.yaml: line 2: the indentation does not match the lines above, or a bracket above is not closed',
  ),
  manifests(
    'a JSON patch of a path that is absent',
    'kube-apiserver+json.yaml',
    '[{ op: remove, path: /spec/x }]\n',
    'E_PATCH: cannot apply the patch /p/kube-apiserver+json.yaml: operation 1: cannot remove /spec/x: the path does not exist',
  ),
  manifests(
    'a patch that takes the name',
    'kube-controller-manager+merge.yaml',
    'metadata: { name: null }\n',
    'E_PATCH: cannot apply the patch /p: the patches leave kube-controller-manager without a name or containers',
  ),
  ...['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'].map((name, index) => ({
    ...manifests(
      `a disk that is full when the manifest of ${name} is written`,
      'note.txt',
      '#',
      `E_FILE: /etc/kubernetes/manifests/${name}.yaml: no space is left on the device`,
    ),
    breaks: fullDiskAt(index + 1),
  })),
  started(
    'an API server that does not get healthy',
    { breaks: unhealthy },
    'E_HEALTH: nothing healthy answers at https://198.51.100.12:6443/livez (last log line of the kubelet: back-off restarting failed container)',
  ),
  started(
    'an API server that is not ready',
    { machine: withAdmin({ 'GET /version': { status: 503, message: 'starting' } }) },
    'E_API_UNAVAILABLE: https://198.51.100.12:6443 cannot report its version at the moment (HTTP 503): starting',
  ),
  started(
    'an API server of another CA',
    { machine: withAdmin({ 'GET /version': { status: 401, message: 'Unauthorized' } }) },
    'E_API_UNAUTHORIZED: https://198.51.100.12:6443 rejected the credentials of this machine (HTTP 401); cannot report its version',
  ),
  started(
    'no admin.conf',
    { machine: { now: () => NOW } },
    'E_KUBECONFIG: cannot use the kubeconfig /etc/kubernetes/admin.conf: it does not exist',
  ),
  mark(
    'a Node that may not be changed',
    'PATCH /api/v1/nodes/cp2',
    403,
    'nodes "cp2" is forbidden',
    'E_API_FORBIDDEN: https://cluster.test:6443: not allowed to patch nodes cp2 (HTTP 403): nodes "cp2" is forbidden',
  ),
];
