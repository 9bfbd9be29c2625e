/** Checks of the kubelet's serving certificate. */
import type { CsrObject } from '../../engine/node/index.ts';
import type { Sdk } from '../../engine/node/sdk.ts';

const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const IP = /^\d+(\.\d+){3}$|:/;

export interface ExpectedCertificate {
  commonName: string;
  names: readonly string[];
  now: Date;
}

/** Whether the CSR has its certificate. Throws if the CSR was denied, failed or deleted, which ends the wait. */
export function isIssued(sdk: Sdk, name: string, csr: CsrObject | undefined): boolean {
  if (csr === undefined) throw sdk.fail('E_CSR_GONE', { csr: name });
  for (const { type, reason = '', message = '' } of sdk.node.conditionsOf(csr)) {
    const facts = { csr: name, reason: sdk.clean(reason), message: sdk.clean(message) };
    if (type === 'Denied') throw sdk.fail('E_CSR_DENIED', facts);
    if (type === 'Failed') throw sdk.fail('E_CSR_FAILED', facts);
  }
  const certificate: unknown = csr.status?.certificate;
  return typeof certificate === 'string' && certificate !== '';
}

/** All problems of the first certificate in `pem` with the key in `keyPem`. */
export function servingProblems(
  sdk: Sdk,
  pem: string,
  keyPem: string,
  { commonName, names, now }: ExpectedCertificate,
): string[] {
  try {
    const [leaf] = sdk.pki.readCertificates(pem);
    const key = sdk.pki.pemBlocks(keyPem).find(({ label }) => label.endsWith('PRIVATE KEY'));
    if (leaf === undefined || key === undefined) return ['it cannot be read'];
    const isNamed = (name: string) =>
      (IP.test(name) ? leaf.x509.checkIP(name) : leaf.x509.checkHost(name)) !== undefined;
    return [
      ...(sdk.pki.fitsKey(leaf, sdk.pki.toPem(key.label, key.der)) ? [] : ['it does not match the private key']),
      ...(leaf.commonName === commonName ? [] : [`its subject is ${sdk.clean(leaf.commonName)}, not ${commonName}`]),
      ...(leaf.extendedKeyUsages.includes(SERVER_AUTH) ? [] : ['it does not allow server authentication']),
      ...names.filter((name) => !isNamed(name)).map((name) => `it does not include ${name}`),
      ...(leaf.notBefore > now || leaf.notAfter <= now ? ['it is not valid now'] : []),
    ];
  } catch {
    return ['it cannot be read'];
  }
}
