/** Approves kubelets' CSRs if the requester has the permission, like csrapproving of kube-controller-manager. */
import { type Attributes, isAllowed } from '../api/authorization.ts';
import { CSR, CSR_GROUP } from '../api/resources.ts';
import { type CertificateSigningRequest, hasCondition, timestamp } from '../objects.ts';
import type { Store } from '../store.ts';
import type { Controller } from './controllers.ts';
import { KUBELET_CLIENT_SIGNER, kubeletClientProblem, requestOf } from './kubelet-client-csr.ts';

export function csrApprover(store: Store, now: () => Date): Controller {
  function review(csr: CertificateSigningRequest): void {
    const permission = permissionFor(csr);
    if (permission === undefined || !isAllowed(store, accessOf(csr, permission))) return;
    const at = timestamp(now());
    const approved = {
      type: 'Approved',
      status: 'True',
      reason: 'AutoApproved',
      message:
        `Auto approving ${permission === 'selfnodeclient' ? 'self kubelet' : 'kubelet'} client certificate ` +
        'after SubjectAccessReview.',
      lastUpdateTime: at,
      lastTransitionTime: at,
    };
    store.update(CSR, { ...csr, status: { ...csr.status, conditions: [...(csr.status?.conditions ?? []), approved] } });
  }

  return {
    // A restored binding approves pending CSRs. The real controller gets there by retrying.
    resources: [CSR, 'clusterroles', 'clusterrolebindings'],
    reconcile({ resource, object: { metadata } }) {
      const changed =
        resource === CSR
          ? [store.get<CertificateSigningRequest>(CSR, metadata.name)]
          : store.list<CertificateSigningRequest>(CSR);
      for (const csr of changed) if (csr !== undefined && isPending(csr)) review(csr);
    },
  };
}

const isPending = ({ status }: CertificateSigningRequest): boolean =>
  status?.certificate === undefined &&
  !hasCondition(status?.conditions, 'Approved') &&
  !hasCondition(status?.conditions, 'Denied');

/** The permission that the requester needs, or undefined if the CSR is not a kubelet's. */
function permissionFor(csr: CertificateSigningRequest): 'selfnodeclient' | 'nodeclient' | undefined {
  if (csr.spec.signerName !== KUBELET_CLIENT_SIGNER || kubeletClientProblem(csr) !== undefined) return undefined;
  return csr.spec.username === requestOf(csr).commonName ? 'selfnodeclient' : 'nodeclient';
}

const accessOf = ({ spec }: CertificateSigningRequest, subresource: string): Attributes => ({
  user: { name: spec.username ?? '', groups: spec.groups ?? [] },
  verb: 'create',
  group: CSR_GROUP,
  resource: CSR,
  subresource,
  namespace: '',
  name: '',
});
