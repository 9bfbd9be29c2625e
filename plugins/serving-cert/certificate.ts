/** What must hold of the certificate before the kubelet serves by it. */
import type { CsrObject } from '../../engine/node/index.ts';
import type { Sdk } from '../../engine/node/sdk.ts';

const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const IP = /^\d+(\.\d+){3}$|:/;

export interface Wanted {
  commonName: string;
  names: readonly string[];
  now: Date;
}

/** The certificate is there. Denied, failed and deleted requests end the wait. */
export function issuedIn(sdk: Sdk, name: string, csr: CsrObject | undefined): boolean {
  if (csr === undefined) throw sdk.fail('E_CSR_GONE', { csr: name });
  for (const { type, reason = '', message = '' } of sdk.node.conditionsOf(csr)) {
    const facts = { csr: name, reason: sdk.clean(reason), message: sdk.clean(message) };
    if (type === 'Denied') throw sdk.fail('E_CSR_DENIED', facts);
    if (type === 'Failed') throw sdk.fail('E_CSR_FAILED', facts);
  }
  const certificate: unknown = csr.status?.certificate;
  return typeof certificate === 'string' && certificate !== '';
}

/** Everything that is wrong with the first certificate in `pem`, whose key is in `keyPem`; none: it may be served by. */
export function servingProblems(sdk: Sdk, pem: string, keyPem: string, { commonName, names, now }: Wanted): string[] {
  try {
    const [leaf] = sdk.pki.readCertificates(pem);
    const key = sdk.pki.pemBlocks(keyPem).find(({ label }) => label.endsWith('PRIVATE KEY'));
    if (leaf === undefined || key === undefined) return ['it cannot be read'];
    const isNamed = (name: string) =>
      (IP.test(name) ? leaf.x509.checkIP(name) : leaf.x509.checkHost(name)) !== undefined;
    return [
      ...(sdk.pki.fitsKey(leaf, sdk.pki.toPem(key.label, key.der)) ? [] : ['it does not fit our key']),
      ...(leaf.commonName === commonName ? [] : [`it is for ${sdk.clean(leaf.commonName)}, not ${commonName}`]),
      ...(leaf.extendedKeyUsages.includes(SERVER_AUTH) ? [] : ['it is not for server authentication']),
      ...names.filter((name) => !isNamed(name)).map((name) => `it does not name ${name}`),
      ...(leaf.notBefore > now || leaf.notAfter <= now ? ['it does not hold now'] : []),
    ];
  } catch {
    return ['it cannot be read'];
  }
}
