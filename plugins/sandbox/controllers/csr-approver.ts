/** Approves CSRs of kubelets whose requesters may have that: the csrapproving controller of kube-controller-manager. */
import { type Attributes, isAllowed } from '../api/authorization.ts';
import { CSR, CSR_GROUP } from '../api/resources.ts';
import { type CertificateSigningRequest, hasCondition, timestamp } from '../objects.ts';
import type { Store } from '../store.ts';
import type { Controller } from './controllers.ts';
import { KUBELET_CLIENT_SIGNER, kubeletClientProblem, requestOf } from './kubelet-client-csr.ts';

export function csrApprover(store: Store, now: () => Date): Controller {
  function review(csr: CertificateSigningRequest): void {
    const how = recogniser(csr);
    if (how === undefined || !isAllowed(store, accessOf(csr, how))) return;
    const at = timestamp(now());
    const approved = {
      type: 'Approved',
      status: 'True',
      reason: 'AutoApproved',
      message: `Auto approving ${how === 'selfnodeclient' ? 'self kubelet' : 'kubelet'} client certificate after SubjectAccessReview.`,
      lastUpdateTime: at,
      lastTransitionTime: at,
    };
    store.update(CSR, { ...csr, status: { ...csr.status, conditions: [...(csr.status?.conditions ?? []), approved] } });
  }

  return {
    // A binding that comes back approves what waits; the real controller finds that out by trying again.
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

/** Under which permission the CSR may be approved, tried in this order. */
function recogniser(csr: CertificateSigningRequest): 'selfnodeclient' | 'nodeclient' | undefined {
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
