/** Pure functions over keys, CSRs, certificates, pins and token signatures. No file, no network, no clock. */
export { certificatesPem, foreignBlocks, privateKeyPem } from './bundle.ts';
export * from './certificate.ts';
export * from './csr.ts';
export { bytesOfAddress, textOfAddress } from './general-names.ts';
export { type IssueRequest, issueCertificate } from './issue.ts';
export { isSignedBy, signDetached } from './jws.ts';
export {
  generateKeyPem,
  generateKeyPemInBackground,
  KEY_ALGORITHMS,
  type KeyAlgorithm,
  publicKeyDer,
  publicKeyPem,
} from './key.ts';
export type { Name } from './name.ts';
export { type PemBlock, pemBlocks, toPem } from './pem.ts';
export { generateSealKey, openSealed, seal } from './sealed.ts';
