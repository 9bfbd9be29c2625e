/** The administrator's kubeconfig, like kubeadm's admin.conf. */
import { stringify } from 'yaml';
import { type ClusterCa, issueKeyPair } from './certificates.ts';

const ADMIN = 'kubernetes-admin';
const CLUSTER = 'kubernetes';

export function adminKubeconfig(server: string, ca: ClusterCa, now: Date): string {
  const { cert, key } = issueKeyPair(ca, now, { commonName: ADMIN, organizations: ['system:masters'] }, 'client');
  const context = `${ADMIN}@${CLUSTER}`;
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: CLUSTER, cluster: { 'certificate-authority-data': base64(ca.cert), server } }],
    contexts: [{ name: context, context: { cluster: CLUSTER, user: ADMIN } }],
    'current-context': context,
    preferences: {},
    users: [{ name: ADMIN, user: { 'client-certificate-data': base64(cert), 'client-key-data': base64(key) } }],
  });
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');
