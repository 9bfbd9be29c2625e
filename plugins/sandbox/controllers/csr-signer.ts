/** Signs approved CSRs of kubelets, like csrsigning of kube-controller-manager. */
import { CSR } from '../api/resources.ts';
import { type ClusterCa, issueBy } from '../certificates.ts';
import { type CertificateSigningRequest, hasCondition, timestamp } from '../objects.ts';
import type { Store } from '../store.ts';
import type { Controller } from './controllers.ts';
import { KUBELET_CLIENT_SIGNER, kubeletClientProblem, requestOf } from './kubelet-client-csr.ts';

const BACKDATE_MS = 5 * 60_000;
const LIFE_MS = 365 * 86_400_000;

export function csrSigner(store: Store, ca: ClusterCa, now: () => Date): Controller {
  function sign(csr: CertificateSigningRequest): string {
    const { commonName, organizations, publicKey } = requestOf(csr);
    const notBefore = new Date(now().getTime() - BACKDATE_MS);
    const lifeMs = csr.spec.expirationSeconds === undefined ? LIFE_MS : csr.spec.expirationSeconds * 1000;
    const notAfter = new Date(notBefore.getTime() + Math.min(lifeMs, LIFE_MS));
    return issueBy(ca, { subject: { commonName, organizations }, publicKey, use: 'client', notBefore, notAfter });
  }

  function statusOf(csr: CertificateSigningRequest): CertificateSigningRequest['status'] {
    const problem = kubeletClientProblem(csr);
    if (problem === undefined) return { ...csr.status, certificate: Buffer.from(sign(csr)).toString('base64') };
    const at = timestamp(now());
    const failed = { type: 'Failed', status: 'True', reason: 'SignerValidationFailure', message: problem };
    const conditions = [...(csr.status?.conditions ?? []), { ...failed, lastUpdateTime: at, lastTransitionTime: at }];
    return { ...csr.status, conditions };
  }

  return {
    resources: [CSR],
    reconcile({ object: { metadata } }) {
      const csr = store.get<CertificateSigningRequest>(CSR, metadata.name);
      if (csr !== undefined && isWaiting(csr)) store.update(CSR, { ...csr, status: statusOf(csr) });
    },
  };
}

const isWaiting = ({ spec, status = {} }: CertificateSigningRequest): boolean =>
  spec.signerName === KUBELET_CLIENT_SIGNER &&
  status.certificate === undefined &&
  hasCondition(status.conditions, 'Approved') &&
  !hasCondition(status.conditions, 'Denied') &&
  !hasCondition(status.conditions, 'Failed');
