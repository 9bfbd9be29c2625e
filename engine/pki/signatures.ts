/** Signatures of certificates. MD5 and SHA-1 are never valid, as in Go from 1.18 on. */
import { constants, verify } from 'node:crypto';
import { children, content, encode, hasTag, integer, type Node, nothing, oid, sequence, tagged } from './der.ts';
import type { PublicKey } from './public-key.ts';

export interface SignatureAlgorithm {
  /** The readable name: `SHA256-RSA`. */
  name: string;
  /** Verifies a signature; undefined if the algorithm is broken or unknown. */
  scheme?: { key: PublicKey['kind']; hash: 'sha256' | 'sha384' | 'sha512' | null; pss?: boolean };
  /** Whether the algorithm was secure once. */
  broken: boolean;
}

const rsa = (hash: 'sha256' | 'sha384' | 'sha512'): SignatureAlgorithm => ({
  name: `${hash.toUpperCase()}-RSA`,
  scheme: { key: 'rsa', hash },
  broken: false,
});
const ecdsa = (hash: 'sha256' | 'sha384' | 'sha512'): SignatureAlgorithm => ({
  name: `ECDSA-${hash.toUpperCase()}`,
  scheme: { key: 'ec', hash },
  broken: false,
});
const broken = (name: string): SignatureAlgorithm => ({ name, broken: true });

/** By OID. */
const ALGORITHMS: Record<string, SignatureAlgorithm | undefined> = {
  '1.2.840.113549.1.1.2': broken('MD2-RSA'),
  '1.2.840.113549.1.1.4': broken('MD5-RSA'),
  '1.2.840.113549.1.1.5': broken('SHA1-RSA'),
  '1.3.14.3.2.29': broken('SHA1-RSA'),
  '1.2.840.113549.1.1.11': rsa('sha256'),
  '1.2.840.113549.1.1.12': rsa('sha384'),
  '1.2.840.113549.1.1.13': rsa('sha512'),
  '1.2.840.10040.4.3': broken('SHA1-DSA'),
  '2.16.840.1.101.3.4.3.2': broken('SHA256-DSA'),
  '1.2.840.10045.4.1': broken('ECDSA-SHA1'),
  '1.2.840.10045.4.3.2': ecdsa('sha256'),
  '1.2.840.10045.4.3.3': ecdsa('sha384'),
  '1.2.840.10045.4.3.4': ecdsa('sha512'),
};
const BY_OID = new Map(Object.entries(ALGORITHMS).map(([id, found]) => [content(oid(id)).toString('hex'), found]));
const ED25519 = content(oid('1.3.101.112')).toString('hex');
const PSS = content(oid('1.2.840.113549.1.1.10')).toString('hex');

const HASHES = [
  ['sha256', '2.16.840.1.101.3.4.2.1', 32],
  ['sha384', '2.16.840.1.101.3.4.2.2', 48],
  ['sha512', '2.16.840.1.101.3.4.2.3', 64],
] as const;

/** The parameters that Go knows: one hash for both uses, and a salt of its length. */
const PSS_PARAMETERS = new Map(
  HASHES.flatMap(([hash, id, salt]) =>
    [[nothing()], []].map((parameters) => {
      const digest = sequence(oid(id), ...parameters);
      const mask = sequence(oid('1.2.840.113549.1.1.8'), digest);
      const node = sequence(tagged(0, [digest]), tagged(1, [mask]), tagged(2, [integer(Uint8Array.of(salt))]));
      return [encode(node).toString('hex'), hash] as const;
    }),
  ),
);

export function readSignatureAlgorithm(node: Node): SignatureAlgorithm {
  const [id, parameters] = children(node);
  const key = hasTag(id, 'OID') ? content(id).toString('hex') : '';
  const unknown: SignatureAlgorithm = { name: 'an unknown algorithm', broken: false };
  if (key === ED25519)
    return parameters === undefined
      ? { name: 'Ed25519', scheme: { key: 'ed25519', hash: null }, broken: false }
      : unknown;
  if (key !== PSS) return BY_OID.get(key) ?? unknown;
  const hash = parameters === undefined ? undefined : PSS_PARAMETERS.get(encode(parameters).toString('hex'));
  if (hash === undefined) return unknown;
  return { name: `${hash.toUpperCase()}-RSAPSS`, scheme: { key: 'rsa', hash, pss: true }, broken: false };
}

/** Whether `key` made `signature` over `message`. False if the key does not fit the algorithm. */
export function isSignature(
  { scheme }: SignatureAlgorithm,
  signature: Uint8Array,
  message: Uint8Array,
  { kind, key }: PublicKey,
): boolean {
  if (scheme === undefined || scheme.key !== kind || key === undefined) return false;
  const options =
    scheme.pss === true
      ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
      : {};
  try {
    return verify(scheme.hash, message, { key, ...options }, signature);
  } catch {
    return false;
  }
}
