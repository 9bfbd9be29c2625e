/** The rules for a CSR of a kubelet's client certificate. Source: kubernetes, pkg/apis/certificates/helpers.go. */
import { type Csr, readCsr } from '../../../engine/pki/index.ts';
import type { CertificateSigningRequest } from '../objects.ts';

export const KUBELET_CLIENT_SIGNER = 'kubernetes.io/kube-apiserver-client-kubelet';

/** Servers from 1.27 on accept both lists. */
const USAGES = ['client auth,digital signature', 'client auth,digital signature,key encipherment'];

/** The PKCS #10 request inside. Throws if it is invalid. */
export const requestOf = ({ spec }: Pick<CertificateSigningRequest, 'spec'>): Csr =>
  readCsr(Buffer.from(spec.request, 'base64').toString());

/** The signer's message if this is not such a CSR; undefined if it is. */
export function kubeletClientProblem(csr: CertificateSigningRequest): string | undefined {
  const { organizations, commonName, asksExtensions } = requestOf(csr);
  if (organizations.length !== 1 || organizations[0] !== 'system:nodes')
    return 'subject organization is not system:nodes';
  if (asksExtensions) return 'DNS, IP, email and URI subjectAltNames are not allowed';
  if (!commonName.startsWith('system:node:')) return 'subject common name does not begin with system:node: prefix';
  if (!USAGES.includes([...new Set(csr.spec.usages)].sort().join()))
    return 'usages did not match [client auth digital signature key encipherment]';
  return undefined;
}
