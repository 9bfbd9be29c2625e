/** Public keys of certificates: those that Go can verify with, and all others, which verify nothing. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { children, content, encode, hasTag, type Node } from './der.ts';

export interface PublicKey {
  /** DER SubjectPublicKeyInfo. */
  spki: Buffer;
  kind: 'rsa' | 'ec' | 'ed25519' | 'other';
  /** Undefined if the kind is `other`. */
  key?: KeyObject;
  /** Length of an RSA modulus; 0 for other keys. */
  bits: number;
}

const [RSA, EC, ED25519] = ['2a864886f70d010101', '2a8648ce3d0201', '2b6570'];
const KINDS: Record<string, PublicKey['kind'] | undefined> = { [RSA]: 'rsa', [EC]: 'ec', [ED25519]: 'ed25519' };
/** P-224, P-256, P-384 and P-521. */
const CURVES = new Set(['2b81040021', '2a8648ce3d030107', '2b81040022', '2b81040023']);
const EXPONENT_MAX = 2n ** 31n - 1n;

/** Throws an Error of one line for a key that Go cannot read. Kinds that Go does not know are `other`. */
export function readPublicKey(node: Node): PublicKey {
  const [algorithm, key] = children(node);
  const [id, parameters] = children(algorithm);
  const kind = (hasTag(id, 'OID') && KINDS[content(id).toString('hex')]) || 'other';
  const spki = encode(node);
  if (!hasTag(key, 'BITSTRING')) throw new Error('its public key is not a string of bits');
  if (kind === 'other') return { spki, kind, bits: 0 };
  if (kind === 'rsa' && !hasTag(parameters, 'NULL')) throw new Error('its RSA key lacks the NULL parameters');
  if (kind === 'ed25519' && parameters !== undefined) throw new Error('its Ed25519 key has parameters');
  if (kind === 'ec') {
    if (!hasTag(parameters, 'OID') || !CURVES.has(content(parameters).toString('hex')))
      throw new Error('its elliptic curve is not P-224, P-256, P-384 or P-521');
    if (content(key)[1] !== 4) throw new Error('its public key is a compressed point');
  }
  const object = keyOf(spki);
  return { spki, kind, key: object, bits: kind === 'rsa' ? rsaBits(object) : 0 };
}

function rsaBits(key: KeyObject): number {
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  if (publicExponent < 2n || publicExponent > EXPONENT_MAX) throw new Error('its RSA exponent is out of bounds');
  return modulusLength;
}

/** Also finds invalid keys, such as a point that is not on its curve. */
function keyOf(spki: Buffer): KeyObject {
  try {
    return createPublicKey({ key: spki, format: 'der', type: 'spki' });
  } catch {
    throw new Error('its public key cannot be read');
  }
}
