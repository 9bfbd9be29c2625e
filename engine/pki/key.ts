/** Private keys: ECDSA in SEC 1 PEM and RSA in PKCS #1 PEM, the forms that the kubelet and kubeadm create and read. */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto';
import { promisify } from 'node:util';
import { type Node, nothing, oid, sequence } from './der.ts';
import { toPem } from './pem.ts';

/** The values of `encryptionAlgorithm` in a ClusterConfiguration. Source: kubeadm, v1beta4. */
export const KEY_ALGORITHMS = ['RSA-2048', 'RSA-3072', 'RSA-4096', 'ECDSA-P256', 'ECDSA-P384'] as const;
export type KeyAlgorithm = (typeof KEY_ALGORITHMS)[number];

/** A new key as `EC PRIVATE KEY` or `RSA PRIVATE KEY` PEM. */
export function generateKeyPem(algorithm: KeyAlgorithm = 'ECDSA-P256'): string {
  const [family, size = ''] = algorithm.split('-');
  if (family === 'RSA') {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: Number(size) });
    return privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
  }
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: size.replace('P', 'P-') });
  return privateKey.export({ type: 'sec1', format: 'pem' }).toString();
}

/** Like `generateKeyPem`, on another thread: an RSA key takes 0.2 s of a processor, and several can be made at once. */
export async function generateKeyPemInBackground(algorithm: KeyAlgorithm): Promise<string> {
  const [family, size = ''] = algorithm.split('-');
  if (family !== 'RSA') return generateKeyPem(algorithm);
  const { privateKey } = await promisify(generateKeyPair)('rsa', {
    modulusLength: Number(size),
    publicKeyEncoding: { type: 'pkcs1', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
  return privateKey;
}

/** The public key as `PUBLIC KEY` PEM. */
export const publicKeyPem = (keyPem: string): string => toPem('PUBLIC KEY', publicKeyDer(keyPem));

/** The public key as DER SubjectPublicKeyInfo. */
export function publicKeyDer(keyPem: string | KeyObject): Buffer {
  const key = typeof keyPem === 'string' ? readPrivateKey(keyPem) : keyPem;
  return createPublicKey(key as never).export({ type: 'spki', format: 'der' });
}

/**
 * The signatures of Go's crypto/x509, by the kind of the key. RFC 4055 requires NULL parameters for RSA; RFC 5758
 * requires none for ECDSA.
 */
const SIGNATURES: Record<string, { hash: string; algorithm: () => Node }> = {
  rsa: { hash: 'sha256', algorithm: () => sequence(oid('1.2.840.113549.1.1.11'), nothing()) },
  prime256v1: { hash: 'sha256', algorithm: () => sequence(oid('1.2.840.10045.4.3.2')) },
  secp384r1: { hash: 'sha384', algorithm: () => sequence(oid('1.2.840.10045.4.3.3')) },
  secp521r1: { hash: 'sha512', algorithm: () => sequence(oid('1.2.840.10045.4.3.4')) },
};

export interface Signer {
  /** In the form of X.509. */
  algorithm: Node;
  /** DER SubjectPublicKeyInfo. */
  publicKey: Buffer;
  sign(tbs: Uint8Array): Buffer;
}

/** A key that is parsed once, because parsing takes longer than signing. RSA and ECDSA; a TypeError for any other. */
export function signerOf(keyPem: string): Signer {
  const key = readPrivateKey(keyPem);
  const kind = key.asymmetricKeyDetails?.namedCurve ?? key.asymmetricKeyType ?? '';
  const signature = SIGNATURES[kind];
  if (signature === undefined) throw new TypeError(`cannot sign with a key of type ${kind}: RSA or EC is needed`);
  return {
    algorithm: signature.algorithm(),
    publicKey: publicKeyDer(key),
    sign: (tbs) => sign(signature.hash, tbs, key),
  };
}

/** The forms of `generateKeyPem`, and how OpenSSL calls them. */
const FORMS = { EC: 'sec1', RSA: 'pkcs1' } as const;
const ONE_KEY = /^-----BEGIN (EC|RSA) PRIVATE KEY-----\n([A-Za-z0-9+/=\n]+)-----END \1 PRIVATE KEY-----\n$/;

/** Any PEM. Of a key in one of our own forms, OpenSSL gets only the DER: it reads PEM three times as slowly. */
function readPrivateKey(keyPem: string): KeyObject {
  const [, form, base64] = ONE_KEY.exec(keyPem) ?? [];
  if (base64 === undefined) return createPrivateKey(keyPem);
  return createPrivateKey({ key: Buffer.from(base64, 'base64'), format: 'der', type: FORMS[form as 'EC' | 'RSA'] });
}
