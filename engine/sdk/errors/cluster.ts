/** The cluster refuses a request or cannot be reached. */

import { CREATE_TOKEN, etcdctl, list, RERUN, UPLOAD_CERTS } from './hints.ts';
import { type ErrorText, EXIT } from './join-error.ts';

export const cluster = {
  E_API_ANSWER: (d: { server: string; what: string }) => ({
    message: `${d.server} sent a response that Joinery cannot use: ${d.what}`,
    hint: 'Check that the address belongs to the API server itself, not to a proxy or another service.',
    exitCode: EXIT.cluster,
    transient: true,
  }),
  E_API_FORBIDDEN: (d: { server: string; what: string; message: string }) => ({
    message: `${d.server}: not allowed to ${d.what} (HTTP 403): ${d.message}`,
    hint:
      'The roles that kubeadm creates for joining may be missing. Restore them on a control-plane node: ' +
      'kubeadm init phase bootstrap-token',
    exitCode: EXIT.cluster,
  }),
  E_API_REFUSED: (d: { server: string; what: string; status: number; message: string }) => ({
    message: `${d.server} refused to ${d.what} (HTTP ${d.status}): ${d.message}`,
    hint: 'The API server wrote this message. Check its log for details.',
    exitCode: EXIT.cluster,
  }),
  E_API_UNAUTHORIZED: (d: { server: string; what: string }) => ({
    message: `${d.server} rejected the credentials of this machine (HTTP 401); cannot ${d.what}`,
    hint: `The token may have expired, or may not allow authentication. ${CREATE_TOKEN}`,
    exitCode: EXIT.cluster,
  }),
  E_API_UNAVAILABLE: (d: {
    server: string;
    what: string;
    status: number;
    message: string;
    retryAfterMs?: number | undefined;
  }) => ({
    message: `${d.server} cannot ${d.what} at the moment (HTTP ${d.status}): ${d.message}`,
    hint: `The API server is overloaded or still starting. When it is ready, ${RERUN}.`,
    exitCode: EXIT.cluster,
    transient: true,
    retryAfterMs: d.retryAfterMs,
  }),
  E_API_UNREACHABLE: (d: { server: string; what: string }) => ({
    message: `${d.server} does not answer: ${d.what}`,
    hint: `Check the address, the firewall and the control plane. To test the connection: curl -k ${d.server}/healthz`,
    exitCode: EXIT.cluster,
    transient: true,
  }),
  E_CERTIFICATE_KEY: (d: { file: string; what: string }) => ({
    message: `the certificate key does not decrypt ${d.file} of Secret kube-system/kubeadm-certs: ${d.what}`,
    hint: `The Secret may have been uploaded again with another key. ${UPLOAD_CERTS}`,
    exitCode: EXIT.cluster,
  }),
  E_CERTS_SECRET: (d: { what: string }) => ({
    message: `cannot use Secret kube-system/kubeadm-certs: ${d.what}`,
    hint: `The cluster deletes it two hours after each upload. ${UPLOAD_CERTS}`,
    exitCode: EXIT.cluster,
  }),
  E_CLUSTER_CONFIGURATION: (d: { problems: readonly string[] }) => ({
    message: `cannot use the cluster's configuration (ConfigMap kube-system/kubeadm-config): ${list(d.problems)}`,
    hint: 'Correct it with an admin kubeconfig: kubectl -n kube-system edit configmap kubeadm-config',
    exitCode: EXIT.cluster,
  }),
  E_CLUSTER_INFO_INVALID: (d: { server: string; what: string }) => ({
    message: `cannot use ConfigMap kube-public/cluster-info of ${d.server}: ${d.what}`,
    hint:
      'Inspect it: kubectl -n kube-public get configmap cluster-info -o yaml. To create it again: kubeadm ' +
      'init phase bootstrap-token',
    exitCode: EXIT.cluster,
  }),
  E_CLUSTER_INFO_MISSING: (d: { server: string; status: number }) => ({
    message:
      d.status === 404
        ? `${d.server} answers HTTP 404 for ConfigMap kube-public/cluster-info`
        : `${d.server} does not allow anonymous clients to read cluster-info (HTTP ${d.status})`,
    hint:
      d.status === 404
        ? 'If this is the API server of your cluster, it is not set up for bootstrap tokens. On a control-plane ' +
          'node: kubeadm init phase bootstrap-token'
        : 'Public access may have been disabled on purpose. Ask for a discovery file, or restore the RoleBinding ' +
          'kubeadm:bootstrap-signer-clusterinfo in kube-public.',
    exitCode: EXIT.cluster,
  }),
  E_CONTROL_PLANE_BUSY: (d: { holder: string; until: string }) => ({
    message: `${d.holder} changes the members of etcd, and has reserved them until ${d.until}`,
    hint: `Only one control plane joins at a time. When it has joined, ${RERUN}.`,
    exitCode: EXIT.cluster,
    transient: true,
  }),
  E_CSR_CONFLICT: (d: { csr: string; what: string }) => ({
    message: `the CertificateSigningRequest ${d.csr} exists, but this machine did not create it: ${d.what}`,
    hint: `If it is not needed: kubectl delete csr ${d.csr}`,
    exitCode: EXIT.cluster,
  }),
  E_CSR_DENIED: (d: { csr: string; reason: string; message: string }) => ({
    message: `${d.csr} was denied: ${d.reason} ${d.message}`,
    hint:
      'Ask an administrator of the cluster why. The next join sends a new request. Details: kubectl describe ' +
      `csr ${d.csr}`,
    exitCode: EXIT.cluster,
  }),
  E_CSR_FAILED: (d: { csr: string; reason: string; message: string }) => ({
    message: `the signer failed to sign ${d.csr}: ${d.reason} ${d.message}`,
    hint: `Check the log of kube-controller-manager, and: kubectl describe csr ${d.csr}`,
    exitCode: EXIT.cluster,
  }),
  E_CSR_GONE: (d: { csr: string }) => ({
    message: `${d.csr} was deleted while Joinery waited for its certificate`,
    hint: `To send a new request, ${RERUN}.`,
    exitCode: EXIT.cluster,
    transient: true,
  }),
  E_DOWNLOAD: (d: { url: string; what: string }) => ({
    message: `cannot download ${d.url}: ${d.what}`,
    hint: `Check what the address returns: curl -sSL -D- ${d.url}`,
    exitCode: EXIT.cluster,
  }),
  E_DYNAMIC_CONFIG_FORBIDDEN: (d: { node: string; source: string }) => ({
    message:
      `node ${d.node} is not allowed to set its own spec.configSource: the admission plugin ` +
      'NodeRestriction forbids it',
    hint:
      `Set it with an admin kubeconfig: kubectl patch node ${d.node} -p ` +
      `'{"spec":{"configSource":${d.source}}}'\n  → Then ${RERUN}.`,
    exitCode: EXIT.cluster,
  }),
  E_DYNAMIC_CONFIG_GONE: (d: { server: string; what: string }) => ({
    message: `${d.server} does not support dynamic kubelet configuration: it ${d.what}`,
    hint:
      'Join without --feature-gates DynamicKubeletConfig=true. The kubelet still gets the configuration of ' +
      'the cluster.',
    exitCode: EXIT.cluster,
  }),
  E_ETCD_ENDPOINTS: (d: { what: string }) => ({
    message: `cannot find the members of etcd by their Pods in kube-system: ${d.what}`,
    hint:
      'Check the Pods of etcd on each control plane: ' +
      'kubectl -n kube-system get pods -l component=etcd,tier=control-plane -o wide',
    exitCode: EXIT.cluster,
    transient: true,
  }),
  E_ETCD_MEMBER: (d: { member: string; id: string; what: string; passes: boolean }) => ({
    message: `the etcd member ${d.member} is in the way: ${d.what}`,
    hint: `If no machine needs this member, remove it: ${etcdctl(`member remove ${d.id}`)}`,
    exitCode: EXIT.cluster,
    transient: d.passes,
  }),
  /** `force` is the command that continues without the removal. */
  E_ETCD_QUORUM: (d: { member: string; problems: readonly string[]; force: string }) => ({
    message:
      `the etcd member ${d.member} cannot be removed, because etcd would lose its quorum: ` +
      `${d.problems.join('; ')}`,
    hint:
      'Start the other members, and try again. To continue without the removal, although etcd then loses its quorum, ' +
      `and the cluster takes no writes until the other members are started: ${d.force}`,
    exitCode: EXIT.cluster,
  }),
  E_ETCD_REFUSED: (d: { endpoint: string; what: string; message: string }) => ({
    message: `etcd at ${d.endpoint} refused to ${d.what}: ${d.message}`,
    hint: `Check its members: ${etcdctl('member list')}`,
    exitCode: EXIT.cluster,
    // Another member is joining, or etcd has no leader at the moment.
    transient: true,
  }),
  E_ETCD_UNHEALTHY: (d: { healthy: number; voters: number; problems: readonly string[] }) => ({
    message: `${d.healthy} of ${d.voters} etcd members are healthy, and a majority must be: ${d.problems.join('; ')}`,
    hint: `Start or repair the other members first. Their state: ${etcdctl('endpoint health --cluster')}`,
    exitCode: EXIT.cluster,
    transient: true,
  }),
  E_ETCD_UNREACHABLE: (d: { problems: readonly string[] }) => ({
    message: `no member of etcd answers: ${d.problems.join('; ')}`,
    hint: 'Check that this machine can reach port 2379 of the control planes, and that etcd runs there.',
    exitCode: EXIT.cluster,
    transient: true,
  }),
  E_HTTP_ANSWER: (d: { method: string; url: string; what: string; retried: boolean }) => ({
    message: `${d.method} ${d.url}: ${d.what}`,
    hint: `Check the response: curl -sS -i -X ${d.method} ${d.url}`,
    exitCode: EXIT.cluster,
    transient: d.retried,
  }),
  E_HTTP_UNREACHABLE: (d: { method: string; url: string; what: string; retried: boolean }) => ({
    message: `${d.method} ${d.url} got no response: ${d.what}`,
    hint: `Check the address, and whether this machine can reach it: curl -sS -i ${d.url}`,
    exitCode: EXIT.cluster,
    transient: d.retried,
  }),
  E_KUBECONFIG_ACCESS: (d: { server: string; file: string; what: string; status: number; message: string }) => ({
    message: `${d.server}: the user of ${d.file} is not allowed to ${d.what} (HTTP ${d.status}): ${d.message}`,
    hint:
      d.status === 401
        ? 'The certificate or token of this user may have expired. Renew it on a control-plane node: kubeadm ' +
          'certs renew admin.conf'
        : 'Choose the kubeconfig of an administrator (--kubeconfig FILE), or grant this user access to Secrets in ' +
          'kube-system.',
    exitCode: EXIT.cluster,
  }),
  E_KUBELET_CONFIG: (d: { what: string }) => ({
    message: `cannot use the cluster's kubelet configuration: ${d.what}`,
    hint: 'Check it: kubectl -n kube-system get configmap -o yaml kubelet-config (kubelet-config-1.X before 1.24).',
    exitCode: EXIT.cluster,
  }),
  E_NODE_EXISTS: (d: { node: string }) => ({
    message: `the cluster already has a Ready node named ${d.node}, and this machine does not have its identity`,
    hint: `Join under another name (--node-name). If the other machine no longer exists: kubectl delete node ${d.node}`,
    exitCode: EXIT.cluster,
  }),
  E_PROXY: (d: { server: string; what: string }) => ({
    message: `cannot connect to ${d.server}: ${d.what}`,
    hint: 'Set it: export HTTPS_PROXY=http://HOST:PORT. To connect directly: unset HTTPS_PROXY https_proxy',
    exitCode: EXIT.cluster,
  }),
  E_TOKEN_ABSENT: (d: { ids: readonly string[] }) => ({
    message: `the cluster has no bootstrap token ${list(d.ids)}`,
    hint: 'The cluster deletes expired tokens by itself. To list the tokens: join token list',
    exitCode: EXIT.cluster,
  }),
  E_TOKEN_EXISTS: (d: { id: string }) => ({
    message: `the cluster already has a bootstrap token ${d.id}`,
    hint: `Choose another token, or omit it to generate one. To replace the existing token: join token delete ${d.id}`,
    exitCode: EXIT.cluster,
  }),
} satisfies Record<`E_${string}`, (facts: never) => ErrorText>;
