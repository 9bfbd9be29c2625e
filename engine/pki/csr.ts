/** Certificate signing requests (PKCS #10, RFC 2986) of kubelets. */
import { createHash, createPublicKey, verify } from 'node:crypto';
import { requestedNames, requestOf } from './alt-names.ts';
import { bits, children, content, decode, encode, integer, isContextTag, sequence, tagged } from './der.ts';
import { signerOf } from './key.ts';
import { decodeName, encodeName, type Name } from './name.ts';
import { pemBlocks, toPem } from './pem.ts';

/** A CSR as `CERTIFICATE REQUEST` PEM; `altNames` are DNS names and IP addresses. */
export function createCsr(keyPem: string, subject: Name, altNames: readonly string[] = []): string {
  const signer = signerOf(keyPem);
  const info = sequence(
    integer(Uint8Array.of(0)),
    encodeName(subject),
    decode(signer.publicKey),
    tagged(0, altNames.length === 0 ? [] : [requestOf(altNames)]),
  );
  return toPem('CERTIFICATE REQUEST', encode(sequence(info, signer.algorithm, bits(signer.sign(encode(info))))));
}

export interface Csr extends Name {
  /** DER SubjectPublicKeyInfo of the requested key. */
  publicKey: Buffer;
  /** The signature was made by that key. */
  signatureValid: boolean;
  /** Whether it requests extensions, such as SANs. A kubelet's client CSR never does. */
  asksExtensions: boolean;
  /** The requested DNS names and IP addresses. */
  altNames: string[];
}

/** Throws an Error of one line if `csrPem` is not a well-formed CSR. */
export function readCsr(csrPem: string): Csr {
  const block = pemBlocks(csrPem)[0];
  if (block?.label !== 'CERTIFICATE REQUEST') throw new Error('no CERTIFICATE REQUEST block');
  const [info, , signature] = children(decode(block.der));
  const [, subject, spki, attributes] = children(info);
  if (info === undefined || spki === undefined) throw new Error('not a PKCS #10 request');
  const publicKey = encode(spki);
  const key = createPublicKey({ key: publicKey, format: 'der', type: 'spki' });
  return {
    ...decodeName(subject),
    publicKey,
    signatureValid: verify('sha256', encode(info), key, content(signature).subarray(1)),
    altNames: isContextTag(attributes, 0) ? requestedNames(children(attributes)) : [],
    asksExtensions: isContextTag(attributes, 0) && children(attributes).length > 0,
  };
}

/**
 * The kubelet's name for the CSR of a key that it may use again: `node-csr-<digest>`, digest = base64url SHA-512/256
 * over `b64url(part)|` of the public key (SPKI), CN, each O, each usage. Source: client-go, util/certificate/csr.
 */
export function csrName(publicKey: Uint8Array, subject: Name, usages: readonly string[]): string {
  const hash = createHash('sha512-256');
  const parts = [
    publicKey,
    ...[subject.commonName, ...subject.organizations, ...usages].map((text) => Buffer.from(text)),
  ];
  for (const part of parts) hash.update(`${Buffer.from(part).toString('base64url')}|`);
  return `node-csr-${hash.digest('base64url')}`;
}
