/** Checks of the CSR and of the issued certificate, before anything is written. */

import { type CsrObject, conditionsOf } from '../../engine/node/index.ts';
import {
  CLIENT_AUTH,
  fitsKey,
  foreignBlocks,
  isIssuedBy,
  type Name,
  readCertificates,
  readCsr,
} from '../../engine/pki/index.ts';
import { clean, fail } from '../../engine/sdk/index.ts';

/**
 * Whether the CSR has its certificate. Throws if the CSR was denied, failed or deleted, which ends the wait.
 * Source: the kubelet's csr.WaitForCertificate.
 */
export function isIssued(name: string, csr: CsrObject | undefined): boolean {
  if (csr === undefined) throw fail('E_CSR_GONE', { csr: name });
  for (const { type, reason = '', message = '' } of conditionsOf(csr)) {
    const facts = { csr: name, reason: clean(reason), message: clean(message) };
    if (type === 'Denied') throw fail('E_CSR_DENIED', facts);
    if (type === 'Failed') throw fail('E_CSR_FAILED', facts);
  }
  // An approved CSR has no certificate until the signer has processed it.
  const certificate: unknown = csr.status?.certificate;
  return typeof certificate === 'string' && certificate !== '';
}

/** What a CSR without a certificate waits for, in the words of its conditions. */
export function stateOf(name: string, csr: CsrObject | undefined): string {
  const conditions = conditionsOf(csr).map(({ type = '', reason, message }) =>
    [type, [reason, message].filter(Boolean).join(': ')].filter(Boolean).join(', '),
  );
  if (conditions.length === 0) return `${name} is not approved; to approve it: kubectl certificate approve ${name}`;
  return clean(`${name} has no certificate, and these conditions: ${conditions.join('; ')}`);
}

/** Whether the CSR was denied, or the signer could not sign it. */
export const isRefused = (csr: CsrObject): boolean =>
  conditionsOf(csr).some(({ type }) => type === 'Denied' || type === 'Failed');

/** Reason why a CSR with our name is not ours, or undefined. */
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

/** All problems of an issued certificate. Only a certificate without problems is written. */
export function certificateProblems(pem: string, keyPem: string, subject: Name, now: Date): string[] {
  const chain = parsed(pem);
  const [leaf] = chain;
  if (leaf === undefined) return ['it cannot be read'];
  const problems: string[] = [];
  const [foreign] = foreignBlocks(pem);
  const refuseIf = (isWrong: boolean, text: string) => isWrong && problems.push(text);
  // The kubelet takes the first key of its file, which would then not be ours.
  refuseIf(foreign !== undefined, `beside the certificate there is a block ${foreign}`);
  const stranger = chain.find((each, index) => index > 0 && !isIssuedBy(chain[index - 1] ?? leaf, each.pem));
  refuseIf(
    stranger !== undefined,
    `the certificate ${clean(stranger?.commonName ?? '')} did not issue the one before it`,
  );
  refuseIf(!fitsKey(leaf, keyPem), 'it does not match the private key');
  refuseIf(
    leaf.commonName !== subject.commonName,
    `its subject is ${clean(leaf.commonName)}, not ${subject.commonName}`,
  );
  refuseIf(
    leaf.organizations.join() !== subject.organizations.join(),
    `its groups are ${clean(leaf.organizations.join())}, not ${subject.organizations.join()}`,
  );
  refuseIf(!leaf.extendedKeyUsages.includes(CLIENT_AUTH), 'it does not allow client authentication');
  refuseIf(
    leaf.notBefore > now,
    `it is valid from ${leaf.notBefore.toISOString()}, but the time is ${now.toISOString()}`,
  );
  refuseIf(leaf.notAfter <= now, `it expired at ${leaf.notAfter.toISOString()}, and the time is ${now.toISOString()}`);
  return problems;
}

function parsed(pem: string) {
  try {
    return readCertificates(pem);
  } catch {
    return [];
  }
}
