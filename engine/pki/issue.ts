/** Issues X.509 certificates as Go's crypto/x509 encodes them. */
import { createHash, randomBytes } from 'node:crypto';
import { altNamesNode, SUBJECT_ALT_NAME } from './alt-names.ts';
import { CLIENT_AUTH, SERVER_AUTH } from './certificate.ts';
import {
  bits,
  booleanTrue,
  children,
  content,
  decode,
  encode,
  integer,
  octets,
  oid,
  sequence,
  tagged,
  time,
} from './der.ts';
import { signerOf } from './key.ts';
import { encodeName, type Name } from './name.ts';
import { toPem } from './pem.ts';

export interface IssueRequest {
  subject: Name;
  /** DER SubjectPublicKeyInfo of the certified key. */
  publicKey: Uint8Array;
  /** The issuer (default: self-signed with `signingKey`). */
  issuer?: Name;
  signingKey: string;
  use: 'ca' | 'client' | 'server' | 'server and client';
  /** DNS names and IP addresses. */
  altNames?: string[];
  notBefore: Date;
  notAfter: Date;
}

const USAGES = {
  client: [CLIENT_AUTH],
  server: [SERVER_AUTH],
  'server and client': [SERVER_AUTH, CLIENT_AUTH],
} as const;

/** Issues a certificate with the extensions that Kubernetes' own signers set. Returns PEM. */
export function issueCertificate(request: IssueRequest): string {
  const { subject, publicKey, signingKey, use, altNames = [] } = request;
  const signer = signerOf(signingKey);
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40; // positive, and no leading zero to strip
  const extension = (id: string, critical: boolean, value: ReturnType<typeof sequence>) =>
    sequence(oid(id), ...(critical ? [booleanTrue()] : []), octets(encode(value)));
  // signature, encipherment (, certSign)
  const usage = use === 'ca' ? bits(Uint8Array.of(0xa4), 2) : bits(Uint8Array.of(0xa0), 5);
  const basicConstraints = extension('2.5.29.19', true, use === 'ca' ? sequence(booleanTrue()) : sequence());
  // In the order of Go's crypto/x509, so that the certificates look like those of kubeadm.
  const extensions = [
    extension('2.5.29.15', true, usage),
    ...(use === 'ca' ? [] : [extension('2.5.29.37', false, sequence(...USAGES[use].map(oid)))]),
    basicConstraints,
    ...(use === 'ca' ? [extension('2.5.29.14', false, octets(keyIdentifier(publicKey)))] : []),
    extension('2.5.29.35', false, sequence(tagged(0, keyIdentifier(signer.publicKey)))),
  ];
  if (altNames.length > 0) extensions.push(extension(SUBJECT_ALT_NAME, false, altNamesNode(altNames)));
  const body = sequence(
    tagged(0, [integer(Uint8Array.of(2))]),
    integer(serial),
    signer.algorithm,
    encodeName(request.issuer ?? subject),
    sequence(time(request.notBefore), time(request.notAfter)),
    encodeName(subject),
    decode(publicKey),
    tagged(3, [sequence(...extensions)]),
  );
  return toPem('CERTIFICATE', encode(sequence(body, signer.algorithm, bits(signer.sign(encode(body))))));
}

/** RFC 5280 4.2.1.2, method 1: SHA-1 of the subjectPublicKey bits. */
const keyIdentifier = (spki: Uint8Array): Buffer =>
  createHash('sha1')
    .update(content(children(decode(spki))[1]).subarray(1))
    .digest();
