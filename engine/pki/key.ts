/** Private keys: ECDSA P-256 in SEC 1 PEM, the form that the kubelet creates and reads. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { type Node, nothing, oid, sequence } from './der.ts';

/** A new P-256 key as `EC PRIVATE KEY` PEM. */
export function generateKeyPem(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'sec1', format: 'pem' }).toString();
}

/** The public key as DER SubjectPublicKeyInfo. */
export function publicKeyDer(keyPem: string | KeyObject): Buffer {
  const key = typeof keyPem === 'string' ? createPrivateKey(keyPem) : keyPem;
  return createPublicKey(key as never).export({ type: 'spki', format: 'der' });
}

const SIGNATURE_OIDS: Record<string, string> = { ec: '1.2.840.10045.4.3.2', rsa: '1.2.840.113549.1.1.11' };

/** Signs with SHA-256, and names the algorithm in the form of X.509. RSA and ECDSA keys. */
export function signDer(keyPem: string, tbs: Uint8Array): { algorithm: Node; signature: Buffer } {
  const key = createPrivateKey(keyPem);
  const type = key.asymmetricKeyType ?? '';
  const algorithm = SIGNATURE_OIDS[type];
  if (algorithm === undefined) throw new TypeError(`cannot sign with a key of type ${type}: RSA or EC is needed`);
  return { algorithm: signatureAlgorithm(type, algorithm), signature: sign('sha256', tbs, key) };
}

/** RFC 4055 requires NULL parameters for RSA; RFC 5758 requires none for ECDSA. */
const signatureAlgorithm = (type: string, algorithm: string): Node =>
  type === 'rsa' ? sequence(oid(algorithm), nothing()) : sequence(oid(algorithm));

export const algorithmOf = (keyPem: string): Node => signDer(keyPem, new Uint8Array()).algorithm;
