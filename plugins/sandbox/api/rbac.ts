/** The roles and bindings that `kubeadm init` creates, as far as joining needs them. */

import { BOOTSTRAPPERS } from '../controllers/bootstrap-token.ts';
import type { Draft } from '../objects.ts';
import type { Store } from '../store.ts';
import type { Rule } from './authorization.ts';
import { CSR, CSR_GROUP } from './resources.ts';

const AUTHENTICATED = 'Group system:authenticated';
const EVERYONE = [AUTHENTICATED, 'Group system:unauthenticated'];
const BOOTSTRAP = `Group ${BOOTSTRAPPERS}`;
const NODES = 'Group system:nodes';

const APPROVE_BOOTSTRAP = 'kubeadm:node-autoapprove-bootstrap';
const APPROVE_ROTATION = 'kubeadm:node-autoapprove-certificate-rotation';
const APPROVAL_BINDINGS = [APPROVE_BOOTSTRAP, APPROVE_ROTATION];
const NODE_CLIENT = 'system:certificates.k8s.io:certificatesigningrequests:nodeclient';
const SELF_NODE_CLIENT = 'system:certificates.k8s.io:certificatesigningrequests:selfnodeclient';

const READ_CONFIG = 'kubeadm:nodes-kubeadm-config';

const on = (apiGroup: string, resource: string, ...verbs: string[]): Rule => ({
  apiGroups: [apiGroup],
  resources: [resource],
  verbs,
});
const paths = (...nonResourceURLs: string[]): Rule => ({ verbs: ['get'], nonResourceURLs });
const requestCertificates = on(CSR_GROUP, CSR, 'create', 'get', 'list', 'watch');
const health = ['/healthz', '/livez', '/readyz', '/version', '/version/'];

const clusterRoles: Record<string, Rule[]> = {
  'cluster-admin': [
    { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
    { nonResourceURLs: ['*'], verbs: ['*'] },
  ],
  'system:basic-user': [on('authorization.k8s.io', 'selfsubjectaccessreviews', 'create')],
  'system:discovery': [paths('/api', '/api/*', '/apis', '/apis/*', ...health)],
  'system:public-info-viewer': [paths(...health)],
  'system:node-bootstrapper': [requestCertificates],
  'kubeadm:get-nodes': [on('', 'nodes', 'get')],
  [NODE_CLIENT]: [on(CSR_GROUP, `${CSR}/nodeclient`, 'create')],
  [SELF_NODE_CLIENT]: [on(CSR_GROUP, `${CSR}/selfnodeclient`, 'create')],
  'system:node': [
    on('', 'nodes', 'create', 'get', 'list', 'watch', 'update', 'patch'),
    on('', 'nodes/status', 'update', 'patch'),
    on('', 'pods', 'create', 'get', 'delete'),
    on('', 'events', 'create', 'update', 'patch'),
    on('coordination.k8s.io', 'leases', 'create', 'get', 'update', 'patch'),
    requestCertificates,
  ],
};

const clusterRoleBindings: Record<string, [role: string, ...subjects: string[]]> = {
  'cluster-admin': ['cluster-admin', 'Group system:masters'],
  'kubeadm:cluster-admins': ['cluster-admin', 'Group kubeadm:cluster-admins'],
  'system:basic-user': ['system:basic-user', AUTHENTICATED],
  'system:discovery': ['system:discovery', AUTHENTICATED],
  'system:public-info-viewer': ['system:public-info-viewer', ...EVERYONE],
  // On a real cluster, the Node authorizer grants this; node-restriction.ts limits a node to its own objects.
  'system:node': ['system:node', NODES],
  'kubeadm:kubelet-bootstrap': ['system:node-bootstrapper', BOOTSTRAP],
  'kubeadm:get-nodes': ['kubeadm:get-nodes', BOOTSTRAP],
  [APPROVE_BOOTSTRAP]: [NODE_CLIENT, BOOTSTRAP],
  [APPROVE_ROTATION]: [SELF_NODE_CLIENT, NODES],
};

/** `without` lists roles that the kubeadm of this version did not create. */
export function installRbac(store: Store, kubeletConfigMap: string, without: readonly string[] = []): void {
  for (const [name, rules] of Object.entries(clusterRoles)) store.create('clusterroles', { metadata: { name }, rules });
  for (const name of Object.keys(clusterRoleBindings))
    if (!without.includes(name)) store.create('clusterrolebindings', clusterRoleBinding(name));
  const readers = [BOOTSTRAP, NODES];
  allowReading(store, 'kube-public', 'kubeadm:bootstrap-signer-clusterinfo', 'configmaps', 'cluster-info', [
    'User system:anonymous',
  ]);
  if (!without.includes(READ_CONFIG))
    allowReading(store, 'kube-system', READ_CONFIG, 'configmaps', 'kubeadm-config', readers);
  allowReading(store, 'kube-system', `kubeadm:${kubeletConfigMap}`, 'configmaps', kubeletConfigMap, readers);
  allowReading(store, 'kube-system', 'kube-proxy', 'configmaps', 'kube-proxy', readers);
  allowReading(store, 'kube-system', 'kubeadm:kubeadm-certs', 'secrets', 'kubeadm-certs', [BOOTSTRAP]);
}

/** Whether the controller approves the CSRs of new kubelets. The binding may have been deleted with kubectl. */
export const isApprovalAllowed = (store: Store): boolean =>
  store.get('clusterrolebindings', APPROVE_BOOTSTRAP) !== undefined;

export function allowApproval(store: Store): void {
  for (const name of APPROVAL_BINDINGS)
    if (store.get('clusterrolebindings', name) === undefined)
      store.create('clusterrolebindings', clusterRoleBinding(name));
}

export function denyApproval(store: Store): void {
  for (const name of APPROVAL_BINDINGS)
    if (store.get('clusterrolebindings', name) !== undefined) store.delete('clusterrolebindings', name);
}

function clusterRoleBinding(name: string): Draft {
  const [role = '', ...subjects] = clusterRoleBindings[name] ?? [];
  return { metadata: { name }, ...binding('ClusterRole', role, subjects) };
}

function allowReading(store: Store, namespace: string, name: string, resource: string, object: string, to: string[]) {
  const rules = [{ apiGroups: [''], resources: [resource], resourceNames: [object], verbs: ['get'] }];
  store.create('roles', { metadata: { name, namespace }, rules });
  store.create('rolebindings', { metadata: { name, namespace }, ...binding('Role', name, to) });
}

/** A subject is written as `Group system:nodes`. */
const binding = (kind: string, name: string, subjects: readonly string[]) => ({
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name },
  subjects: subjects.map((subject) => {
    const [kind, name] = subject.split(' ');
    return { apiGroup: 'rbac.authorization.k8s.io', kind, name };
  }),
});
