/** Errors of trust: somebody may not be who they say. */
import { type ErrorText, EXIT } from './join-error.ts';
import { list, MAKE_TOKEN } from './words.ts';

const UNKNOWN_CA =
  'Somebody may stand between this machine and the cluster. If the CA was changed lately, pin the new one too ' +
  '(repeat --discovery-token-ca-cert-hash), or take a new kubeconfig.';

/** `host:port` of an address. */
const authorityOf = (server: string): string => String(server).replace('https://', '');

const unfitCertificate = (server: string): string =>
  'The kubelet would refuse it as well, so the certificate has to be issued again. See what is in it: ' +
  `echo | openssl s_client -showcerts -connect ${authorityOf(server)} | openssl x509 -noout -text`;

export const trust = {
  E_API_CERTIFICATE_NAME: (d: { server: string; names: string; what?: string }) => ({
    message:
      d.names === ''
        ? `${d.server} presents a certificate that names no such host: ${d.what ?? 'it has no names'}`
        : `${d.server} presents a certificate that is not for that address, but for ${d.names}`,
    hint: 'Join by an address that the certificate names, or add this one to apiServer.certSANs on the control plane.',
    exitCode: EXIT.trust,
  }),
  E_API_CERTIFICATE_TIME: (d: { server: string; what: string }) => ({
    message: `the certificate of ${d.server} is not valid now: ${d.what}`,
    hint:
      "Compare this machine's clock with the server's (date -u). If it is right, renew the certificate " +
      'on the control plane: kubeadm certs renew apiserver',
    exitCode: EXIT.trust,
  }),
  /** `fault`: what is wrong with a path of certificates; undefined as long as that is not known. */
  E_API_CERTIFICATE_UNTRUSTED: (d: { server: string; what: string; fault?: string }) => ({
    message: `${d.server} presents a certificate that is not to be trusted: ${d.what}`,
    hint: d.fault === undefined || d.fault === 'unknown-authority' ? UNKNOWN_CA : unfitCertificate(d.server),
    exitCode: EXIT.trust,
  }),
  E_CA_PIN_MISMATCH: (d: { server: string; pinned: readonly string[]; seen: readonly string[] }) => ({
    message: `${d.server} presents CA key ${list(d.seen)}, but only ${list(d.pinned)} is pinned`,
    hint: 'Do not join. Ask whoever runs the cluster for the pin, and compare it by another channel.',
    exitCode: EXIT.trust,
  }),
  E_CERTIFICATE_WRONG: (d: { csr: string; problems: readonly string[] }) => ({
    message: `the certificate issued for ${d.csr} is not the one asked for: ${list(d.problems)}`,
    hint: `Nothing was written. See what signed it: kubectl get csr ${d.csr} -o yaml`,
    exitCode: EXIT.trust,
  }),
  E_CLOCK_SKEW: (d: { server: string; skewSeconds: number }) => ({
    message: `this machine's clock is ${Math.abs(d.skewSeconds)} s ${d.skewSeconds > 0 ? 'behind' : 'ahead of'} that of ${d.server}`,
    hint: 'Certificates are valid by the clock. Set it, by timedatectl set-ntp true or your NTP service, and join again.',
    exitCode: EXIT.trust,
  }),
  E_CLUSTER_INFO_CHANGED: (d: { server: string }) => ({
    message: `${d.server} gave one cluster-info to anybody and another one behind the pinned certificate`,
    hint: 'Somebody may stand between this machine and the cluster: do not join over this network. If cluster-info was changed just now, run the command again.',
    exitCode: EXIT.trust,
  }),
  E_CLUSTER_INFO_SIGNATURE: (d: { server: string; tokenId: string }) => ({
    message: `the cluster-info of ${d.server} is not signed by token ${d.tokenId}`,
    hint: `The secret half of the token may be mistyped, or this is not your cluster. ${MAKE_TOKEN}`,
    exitCode: EXIT.trust,
  }),
  E_DISCOVERY_FILE: (d: { file: string; what: string }) => ({
    message: `the discovery file ${d.file} cannot be used: ${d.what}`,
    hint: 'A good one is the kubeconfig in the cluster: kubectl -n kube-public get configmap cluster-info -o jsonpath={.data.kubeconfig}',
    exitCode: EXIT.trust,
  }),
  E_TLS_HANDSHAKE: (d: { server: string; what: string }) => ({
    message: `no TLS connection to ${d.server}: ${d.what}`,
    hint:
      'The two ends cannot agree, and trying again does not change that. See what the server offers: ' +
      `echo | openssl s_client -connect ${authorityOf(d.server)}`,
    exitCode: EXIT.trust,
  }),
  E_TOKEN_UNKNOWN: (d: { server: string; tokenId: string }) => ({
    message: `${d.server} knows no token ${d.tokenId}: it was deleted, has expired, or is not for signing`,
    hint: MAKE_TOKEN,
    exitCode: EXIT.trust,
    transient: true, // the signer signs a moment after a token was made
  }),
} satisfies Record<`E_${string}`, (facts: never) => ErrorText>;
