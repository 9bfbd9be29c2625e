/** Trust: the other side may not be what it claims to be. */

import { CREATE_TOKEN, list } from './hints.ts';
import { type ErrorText, EXIT } from './join-error.ts';

const UNKNOWN_CA =
  'An attacker may be intercepting the connection. If the CA was replaced recently, also pin the new one ' +
  '(repeat --discovery-token-ca-cert-hash), or get a new kubeconfig.';

/** `host:port` of an address. */
const authorityOf = (server: string): string => String(server).replace('https://', '');

const unfitCertificate = (server: string): string =>
  'Have the certificate issued again: the kubelet would refuse this one, too. Inspect it: ' +
  `echo | openssl s_client -showcerts -connect ${authorityOf(server)} | openssl x509 -noout -text`;

export const trust = {
  E_API_CERTIFICATE_NAME: (d: { server: string; names: string; what?: string }) => ({
    message:
      d.names === ''
        ? `the certificate of ${d.server} is not valid for this address: ${d.what ?? 'it has no names'}`
        : `the certificate of ${d.server} is not valid for this address, only for ${d.names}`,
    hint: 'Join through one of these addresses, or add the missing one to apiServer.certSANs on the control plane.',
    exitCode: EXIT.trust,
  }),
  E_API_CERTIFICATE_TIME: (d: { server: string; what: string }) => ({
    message: `the certificate of ${d.server} is not valid at this time: ${d.what}`,
    hint:
      'Compare the clocks of this machine and the server (date -u). If they agree, renew the certificate: ' +
      'kubeadm certs renew apiserver',
    exitCode: EXIT.trust,
  }),
  /** `fault` names the broken rule, if it is known. */
  E_API_CERTIFICATE_UNTRUSTED: (d: { server: string; what: string; fault?: string }) => {
    const isUnknownCa = d.fault === undefined || d.fault === 'unknown-authority';
    return {
      message: isUnknownCa
        ? `the certificate of ${d.server} is not signed by a trusted CA (${d.what})`
        : `the certificate of ${d.server} breaks a rule that the kubelet enforces: ${d.what}`,
      hint: isUnknownCa ? UNKNOWN_CA : unfitCertificate(d.server),
      exitCode: EXIT.trust,
    };
  },
  E_CA_PIN_MISMATCH: (d: { server: string; pinned: readonly string[]; seen: readonly string[] }) => ({
    message: `${d.server} presents CA key ${list(d.seen)}, but only ${list(d.pinned)} is pinned`,
    hint: 'Do not join. Ask an administrator of the cluster for the correct pin over a channel that you trust.',
    exitCode: EXIT.trust,
  }),
  /** `place` has the CA: the Secret, or a file on this machine. */
  E_CERTS_CA: (d: { place: string; found: string; verified: readonly string[] }) => ({
    message: `${d.place} has CA key ${d.found}, but discovery verified ${list(d.verified)}`,
    hint:
      'The CA may have been replaced, or it is that of another cluster. Compare on a control plane: ' +
      'openssl x509 -in /etc/kubernetes/pki/ca.crt -noout -fingerprint -sha256',
    exitCode: EXIT.trust,
  }),
  E_CERTIFICATE_WRONG: (d: { csr: string; problems: readonly string[] }) => ({
    message: `the certificate issued for ${d.csr} does not match the request: ${list(d.problems)}`,
    hint: `Nothing was written. Check which signer issued it: kubectl get csr ${d.csr} -o yaml`,
    exitCode: EXIT.trust,
  }),
  E_CLOCK_SKEW: (d: { server: string; skewSeconds: number }) => ({
    message:
      `the clock of this machine is ${Math.abs(d.skewSeconds)} s ` +
      `${d.skewSeconds > 0 ? 'behind' : 'ahead of'} the clock of ${d.server}`,
    hint: 'Certificates depend on the clock. Set it with timedatectl set-ntp true or your NTP service, and join again.',
    exitCode: EXIT.trust,
  }),
  E_CLUSTER_INFO_CHANGED: (d: { server: string }) => ({
    message: `the cluster-info of ${d.server} changed between the anonymous request and the request over the pinned CA`,
    hint:
      'An attacker may be intercepting the connection: do not join over this network. If cluster-info was ' +
      'changed just now, run the command again.',
    exitCode: EXIT.trust,
  }),
  E_CLUSTER_INFO_SIGNATURE: (d: { server: string; tokenId: string }) => ({
    message: `the cluster-info of ${d.server} is not signed by token ${d.tokenId}`,
    hint: `The second half of the token may be mistyped, or this may not be your cluster. ${CREATE_TOKEN}`,
    exitCode: EXIT.trust,
  }),
  E_DISCOVERY_FILE: (d: { file: string; what: string }) => ({
    message: `cannot use the discovery file ${d.file}: ${d.what}`,
    hint:
      'To get one from the cluster, run: kubectl -n kube-public get configmap cluster-info -o ' +
      'jsonpath={.data.kubeconfig}',
    exitCode: EXIT.trust,
  }),
  E_API_TLS_HANDSHAKE: (d: { server: string; what: string }) => ({
    message: `the TLS handshake with ${d.server} failed: ${d.what}`,
    hint:
      'Read the log of the server, and inspect what it offers: ' +
      `echo | openssl s_client -connect ${authorityOf(d.server)}`,
    exitCode: EXIT.trust,
  }),
  E_PATH_UNSAFE: (d: {
    path: string;
    directory: string;
    name: string;
    who: string;
    owner: string;
    mode: string;
    command: string;
  }) => ({
    message: `${d.path}: ${d.who} can exchange ${d.name} in ${d.directory} (owner ${d.owner}, mode ${d.mode})`,
    hint: `Check what is in ${d.directory}, and use another path, or run: ${d.command}`,
    exitCode: EXIT.trust,
  }),
  E_STATE_UNTRUSTED: (d: { path: string; believed: string; owner: string; mode: string; command: string }) => ({
    message:
      `${d.believed} decides what Joinery does, but users other than root and you can change ` +
      `${d.path === d.believed ? 'it' : d.path} (owner ${d.owner}, mode ${d.mode})`,
    hint: `Check who wrote it, and whether its content is right. Then run: ${d.command}`,
    exitCode: EXIT.trust,
  }),
  E_TOKEN_UNKNOWN: (d: { server: string; tokenId: string }) => ({
    message:
      `${d.server} has no signature by token ${d.tokenId}: the token was deleted, has expired, or is not ` +
      'for signing',
    hint: CREATE_TOKEN,
    exitCode: EXIT.trust,
    transient: true, // the controller signs cluster-info shortly after it sees a new token
  }),
} satisfies Record<`E_${string}`, (facts: never) => ErrorText>;
