/** Errors of a cluster that refuses or cannot be reached. */
import { type ErrorText, EXIT } from './join-error.ts';
import { list, MAKE_TOKEN, RERUN } from './words.ts';

export const cluster = {
  E_API_ANSWER: (d: { server: string; what: string }) => ({
    message: `${d.server} gave an answer that makes no sense: ${d.what}`,
    hint: 'Check that the address is the API server itself, and not a proxy or another service.',
    exitCode: EXIT.cluster,
    transient: true,
  }),
  E_API_FORBIDDEN: (d: { server: string; what: string; message: string }) => ({
    message: `${d.server} does not allow to ${d.what}: ${d.message}`,
    hint: 'The roles that kubeadm init makes for joining may be missing: kubeadm init phase bootstrap-token (on a control-plane node) restores them.',
    exitCode: EXIT.cluster,
  }),
  E_API_REFUSED: (d: { server: string; what: string; status: number; message: string }) => ({
    message: `${d.server} refused to ${d.what}: ${d.status} ${d.message}`,
    hint: "The message is the API server's own; look into its log for more.",
    exitCode: EXIT.cluster,
  }),
  E_API_UNAUTHORIZED: (d: { server: string; what: string }) => ({
    message: `${d.server} does not accept our credentials to ${d.what}`,
    hint: `The token may have expired, or may not be for authentication. ${MAKE_TOKEN}`,
    exitCode: EXIT.cluster,
  }),
  E_API_UNAVAILABLE: (d: {
    server: string;
    what: string;
    status: number;
    message: string;
    retryAfterMs?: number | undefined;
  }) => ({
    message: `${d.server} could not ${d.what} just now: ${d.status} ${d.message}`,
    hint: `The API server is overloaded or still starting. When it is up, ${RERUN}.`,
    exitCode: EXIT.cluster,
    transient: true,
    retryAfterMs: d.retryAfterMs,
  }),
  E_API_UNREACHABLE: (d: { server: string; what: string }) => ({
    message: `${d.server} does not answer: ${d.what}`,
    hint: `Is the address right, the control plane up, and port open from here? Try: curl -k ${d.server}/healthz`,
    exitCode: EXIT.cluster,
    transient: true,
  }),
  E_CLUSTER_INFO_INVALID: (d: { server: string; what: string }) => ({
    message: `the cluster-info of ${d.server} cannot be used: ${d.what}`,
    hint: 'See it: kubectl -n kube-public get configmap cluster-info -o yaml. kubeadm init phase bootstrap-token makes it anew.',
    exitCode: EXIT.cluster,
  }),
  E_CLUSTER_INFO_MISSING: (d: { server: string; status: number }) => ({
    message: `${d.server} does not show its cluster-info to the public (${d.status})`,
    hint:
      d.status === 404
        ? 'The cluster was not set up for tokens: kubeadm init phase bootstrap-token (on a control-plane node) does it.'
        : 'Public access may have been turned off on purpose. Ask for a discovery file, or restore the RoleBinding kubeadm:bootstrap-signer-clusterinfo in kube-public.',
    exitCode: EXIT.cluster,
  }),
  E_CSR_CONFLICT: (d: { csr: string; what: string }) => ({
    message: `there is a CertificateSigningRequest ${d.csr} that is not ours: ${d.what}`,
    hint: `If nobody needs it: kubectl delete csr ${d.csr}`,
    exitCode: EXIT.cluster,
  }),
  E_CSR_DENIED: (d: { csr: string; reason: string; message: string }) => ({
    message: `${d.csr} was denied: ${d.reason} ${d.message}`,
    hint: `Somebody refused this machine. Ask them; the next join sends a new request. See: kubectl describe csr ${d.csr}`,
    exitCode: EXIT.cluster,
  }),
  E_CSR_FAILED: (d: { csr: string; reason: string; message: string }) => ({
    message: `the signer could not sign ${d.csr}: ${d.reason} ${d.message}`,
    hint: `See: kubectl describe csr ${d.csr}, and the log of kube-controller-manager.`,
    exitCode: EXIT.cluster,
  }),
  E_CSR_GONE: (d: { csr: string }) => ({
    message: `${d.csr} was deleted while we waited for it`,
    hint: `To send a new one, ${RERUN}.`,
    exitCode: EXIT.cluster,
    transient: true,
  }),
  E_DOWNLOAD: (d: { url: string; what: string }) => ({
    message: `${d.url} cannot be used: ${d.what}`,
    hint: `See what is there: curl -sSL -D- ${d.url}`,
    exitCode: EXIT.cluster,
  }),
  E_DYNAMIC_CONFIG_FORBIDDEN: (d: { node: string; source: string }) => ({
    message: `node ${d.node} may not set its own spec.configSource: the admission plugin NodeRestriction forbids it`,
    hint: `With an admin kubeconfig: kubectl patch node ${d.node} -p '{"spec":{"configSource":${d.source}}}'\n  → Then: join resume`,
    exitCode: EXIT.cluster,
  }),
  E_DYNAMIC_CONFIG_GONE: (d: { server: string; what: string }) => ({
    message: `${d.server} knows no dynamic kubelet configuration: it ${d.what}`,
    hint: 'Join without --feature-gates DynamicKubeletConfig=true; the kubelet has the configuration of the cluster all the same.',
    exitCode: EXIT.cluster,
  }),
  E_HTTP_ANSWER: (d: { method: string; url: string; what: string; retried: boolean }) => ({
    message: `${d.method} ${d.url}: ${d.what}`,
    hint: `See what it answers: curl -sS -i -X ${d.method} ${d.url}`,
    exitCode: EXIT.cluster,
    transient: d.retried,
  }),
  E_HTTP_UNREACHABLE: (d: { method: string; url: string; what: string; retried: boolean }) => ({
    message: `${d.method} ${d.url} got no answer: ${d.what}`,
    hint: `Check that the address is right, and that it can be reached from this machine: curl -sS -i ${d.url}`,
    exitCode: EXIT.cluster,
    transient: d.retried,
  }),
  E_KUBECONFIG_ACCESS: (d: { server: string; file: string; what: string; status: number; message: string }) => ({
    message: `${d.server} does not let the user of ${d.file} ${d.what}: ${d.status} ${d.message}`,
    hint:
      d.status === 401
        ? 'Its certificate or token may have expired. On a control-plane node: kubeadm certs renew admin.conf'
        : 'Choose the kubeconfig of an administrator (--kubeconfig FILE), or have the user allowed to handle Secrets in kube-system.',
    exitCode: EXIT.cluster,
  }),
  E_KUBELET_CONFIG: (d: { what: string }) => ({
    message: `the cluster's kubelet configuration cannot be used: ${d.what}`,
    hint: 'See it: kubectl -n kube-system get configmap -o yaml kubelet-config (kubelet-config-1.X before 1.24).',
    exitCode: EXIT.cluster,
  }),
  E_NODE_EXISTS: (d: { node: string }) => ({
    message: `the cluster has a Ready node named ${d.node}, and this machine does not hold its identity`,
    hint: `Join under another name (--node-name), or, if that machine is gone: kubectl delete node ${d.node}`,
    exitCode: EXIT.cluster,
  }),
  E_TOKEN_ABSENT: (d: { ids: readonly string[] }) => ({
    message: `the cluster has no bootstrap token ${list(d.ids)}`,
    hint: 'See those it has: join token list. One that has expired is deleted by itself.',
    exitCode: EXIT.cluster,
  }),
  E_TOKEN_EXISTS: (d: { id: string }) => ({
    message: `the cluster has a bootstrap token ${d.id} already`,
    hint: `Choose another, or leave it out to have one made. To replace the old one: join token delete ${d.id}`,
    exitCode: EXIT.cluster,
  }),
} satisfies Record<`E_${string}`, (facts: never) => ErrorText>;
