/** The cluster's PKI: its CA, and the certificates of the API server and the administrator. */
import { generateKeyPem, issueCertificate, type Name, publicKeyDer, readCertificates } from '../../engine/pki/index.ts';

const DAY_MS = 86_400_000;
const YEAR_MS = 365 * DAY_MS;

/** A certificate and its key, as PEM. */
export interface KeyPair {
  cert: string;
  key: string;
}

export interface ClusterCa extends KeyPair {
  name: Name;
  pin: string;
  notAfter: Date;
}

export const CA_NAME: Name = { commonName: 'kubernetes', organizations: [] };

/** The CA is valid from yesterday on, so that a client with a slow clock reports the clock and not "not yet valid". */
export function createCa(now: Date, name = CA_NAME): ClusterCa {
  const key = generateKeyPem();
  const notAfter = new Date(now.getTime() + 10 * YEAR_MS);
  const cert = issueCertificate({
    subject: name,
    publicKey: publicKeyDer(key),
    signingKey: key,
    use: 'ca',
    notBefore: new Date(now.getTime() - DAY_MS),
    notAfter,
  });
  return { name, cert, key, pin: readCertificates(cert)[0]?.pin ?? '', notAfter };
}

type Issue = Pick<
  Parameters<typeof issueCertificate>[0],
  'subject' | 'publicKey' | 'use' | 'altNames' | 'notBefore' | 'notAfter'
>;

/** Signs with the CA. The certificate expires no later than the CA. */
export const issueBy = (ca: ClusterCa, issue: Issue): string =>
  issueCertificate({
    ...issue,
    issuer: ca.name,
    signingKey: ca.key,
    notAfter: new Date(Math.min(issue.notAfter.getTime(), ca.notAfter.getTime())),
  });

/** A new key and its certificate, valid from yesterday for one year. */
export function issueKeyPair(
  ca: ClusterCa,
  now: Date,
  subject: Name,
  use: 'client' | 'server',
  altNames: string[] = [],
): KeyPair {
  const key = generateKeyPem();
  const cert = issueBy(ca, {
    subject,
    publicKey: publicKeyDer(key),
    use,
    altNames,
    notBefore: new Date(now.getTime() - DAY_MS),
    notAfter: new Date(now.getTime() + YEAR_MS),
  });
  return { cert, key };
}
