/** What must hold of a CSR and of the certificate that comes back, before anything is written. */

import { type CsrObject, conditionsOf } from '../../engine/node/index.ts';
import { CLIENT_AUTH, fitsKey, type Name, readCertificates, readCsr } from '../../engine/pki/index.ts';
import { clean, fail } from '../../engine/sdk/index.ts';

/** The certificate is there. Denied, failed and deleted requests end the wait. Source: the kubelet's csr.WaitForCertificate. */
export function issued(name: string, csr: CsrObject | undefined): boolean {
  if (csr === undefined) throw fail('E_CSR_GONE', { csr: name });
  for (const { type, reason = '', message = '' } of conditionsOf(csr)) {
    const facts = { csr: name, reason: clean(reason), message: clean(message) };
    if (type === 'Denied') throw fail('E_CSR_DENIED', facts);
    if (type === 'Failed') throw fail('E_CSR_FAILED', facts);
  }
  // Approved without a certificate is not done: the signer is still at work.
  const certificate: unknown = csr.status?.certificate;
  return typeof certificate === 'string' && certificate !== '';
}

/** Somebody denied it, or the signer could not sign it. */
export const isRefused = (csr: CsrObject): boolean =>
  conditionsOf(csr).some(({ type }) => type === 'Denied' || type === 'Failed');

/** Why a CSR of our name is not ours, or undefined. */
export function conflictWith({ spec }: CsrObject, ours: string): string | undefined {
  try {
    const [theirs, own] = [readCsr(Buffer.from(spec.request, 'base64').toString('utf8')), readCsr(ours)];
    if (!theirs.publicKey.equals(own.publicKey)) return 'it is for another key';
    if (theirs.commonName !== own.commonName) return `it is for ${clean(theirs.commonName)}`;
    return undefined;
  } catch (error) {
    return clean((error as Error).message);
  }
}

/** Everything that is wrong with an issued certificate; none: it may be written. */
export function certificateProblems(pem: string, keyPem: string, asked: Name, now: Date): string[] {
  const [leaf] = parsed(pem);
  if (leaf === undefined) return ['it cannot be read'];
  const problems: string[] = [];
  const refuse = (wrong: boolean, text: string) => wrong && problems.push(text);
  refuse(!fitsKey(leaf, keyPem), 'it does not fit our key');
  refuse(leaf.commonName !== asked.commonName, `it is for ${clean(leaf.commonName)}, not ${asked.commonName}`);
  refuse(
    leaf.organizations.join() !== asked.organizations.join(),
    `its groups are ${clean(leaf.organizations.join())}, not ${asked.organizations.join()}`,
  );
  refuse(!leaf.extendedKeyUsages.includes(CLIENT_AUTH), 'it is not for client authentication');
  refuse(leaf.notBefore > now, `it is valid from ${leaf.notBefore.toISOString()}, and here it is ${now.toISOString()}`);
  refuse(leaf.notAfter <= now, `it expired ${leaf.notAfter.toISOString()}, and here it is ${now.toISOString()}`);
  return problems;
}

function parsed(pem: string) {
  try {
    return readCertificates(pem);
  } catch {
    return [];
  }
}
