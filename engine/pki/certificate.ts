/** X.509 certificates: read and pinned. */
import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { children, decode, encode, isContextTag } from './der.ts';
import { decodeNameBytes, type Name } from './name.ts';
import { pemBlocks, toPem } from './pem.ts';
import { readX509 } from './x509.ts';

export interface Certificate extends Name {
  pem: string;
  x509: X509Certificate;
  /** `sha256:<hex>` over the DER SubjectPublicKeyInfo (RFC 7469), the value of `--discovery-token-ca-cert-hash`. */
  pin: string;
  notBefore: Date;
  notAfter: Date;
  /** Extended key usages as dotted OIDs. */
  extendedKeyUsages: string[];
}

export const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
export const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';

/** Three times as many as an operating system trusts. Reading them takes half a second. */
const CERTIFICATES_MAX = 500;

/**
 * Every `CERTIFICATE` block of `pem`, at most 500; other blocks are skipped.
 * Throws an Error of one line if one of them is not a certificate.
 */
export function readCertificates(pem: string): Certificate[] {
  const blocks = pemBlocks(pem).filter(({ label }) => label === 'CERTIFICATE');
  if (blocks.length > CERTIFICATES_MAX) throw new Error(`more than ${CERTIFICATES_MAX} certificates`);
  return blocks.map(({ der }) => readCertificate(der));
}

/** Today's minimum. Go, and so the kubelet, still accepts 1024 bits. */
const RSA_BITS_SAFE = 2048;

/** One sentence for each certificate whose RSA key is too short to be safe. */
export const shortKeysIn = (pem: string): string[] =>
  readCertificates(pem).flatMap(({ x509, commonName }) => {
    const bits = rsaBitsOf(x509.raw);
    return bits < RSA_BITS_SAFE
      ? [`the RSA key of the CA ${commonName} has ${bits} bits: with fewer than ${RSA_BITS_SAFE} it can be broken`]
      : [];
  });

function rsaBitsOf(der: Buffer): number {
  try {
    return readX509(der).publicKey.bits || Infinity;
  } catch {
    return Infinity; // such a certificate is never trusted
  }
}

function readCertificate(der: Buffer): Certificate {
  const x509 = parsedByOpenSsl(der);
  const fields = children(children(decode(der))[0]);
  if (isContextTag(fields[0], 0)) fields.shift(); // the optional version
  const [, , , , subject, spki] = fields;
  if (subject === undefined || spki === undefined) throw new Error('not an X.509 certificate');
  const [notBefore, notAfter] = [new Date(x509.validFrom), new Date(x509.validTo)];
  if (Number.isNaN(notBefore.getTime() + notAfter.getTime())) throw new Error('a certificate without dates');
  return {
    ...decodeNameBytes(encode(subject)),
    pem: toPem('CERTIFICATE', der),
    x509,
    pin: pinOf(encode(spki)),
    notBefore,
    notAfter,
    extendedKeyUsages: x509.keyUsage ?? [],
  };
}

function parsedByOpenSsl(der: Buffer): X509Certificate {
  try {
    return new X509Certificate(der);
  } catch (error) {
    throw new Error('its bytes are not an X.509 certificate', { cause: error });
  }
}

/** The pin of a DER SubjectPublicKeyInfo. */
export const pinOf = (spki: Uint8Array): string => `sha256:${createHash('sha256').update(spki).digest('hex')}`;

/** Whether a certificate of `caPem` signed `certificate`, or is equal to it. */
export function isIssuedBy(certificate: Certificate, caPem: string): boolean {
  return readCertificates(caPem).some(
    (ca) => certificate.x509.checkIssued(ca.x509) && certificate.x509.verify(ca.x509.publicKey),
  );
}

export const fitsKey = (certificate: Certificate, keyPem: string): boolean =>
  certificate.x509.checkPrivateKey(createPrivateKey(keyPem));
