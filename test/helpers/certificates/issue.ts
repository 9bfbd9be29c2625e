/** Certificates of every kind, also broken ones: fields and extensions are written without any check. */
import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import {
  bits,
  booleanTrue,
  decode,
  encode,
  integer,
  type Node,
  nothing,
  octets,
  oid,
  sequence,
  set,
  tagged,
  time,
  utf8,
} from '../../../engine/pki/der.ts';
import { toPem } from '../../../engine/pki/index.ts';

type Curve = 'P-224' | 'P-256' | 'P-384' | 'P-521' | 'secp256k1';
export type KeyName = Curve | 'ed25519' | 'ed448' | 'rsa768' | 'rsa1024' | 'rsa2048';

const keys = new Map<string, KeyObject>();

/** The same key for the same name: making RSA keys is what takes the time here. */
export function keyOf(kind: KeyName, name: string): KeyObject {
  const id = `${kind}/${name}`;
  let key = keys.get(id);
  if (key === undefined) {
    key = generate(kind);
    keys.set(id, key);
  }
  return key;
}

function generate(kind: KeyName): KeyObject {
  if (kind === 'ed25519') return generateKeyPairSync('ed25519').privateKey;
  if (kind === 'ed448') return generateKeyPairSync('ed448').privateKey;
  if (kind.startsWith('rsa')) return generateKeyPairSync('rsa', { modulusLength: Number(kind.slice(3)) }).privateKey;
  const namedCurve = kind === 'P-224' ? 'secp224r1' : kind;
  return generateKeyPairSync('ec', { namedCurve }).privateKey;
}

export interface Algorithm {
  id: Node;
  sign(tbs: Uint8Array, key: KeyObject): Buffer;
}

const hashed = (hash: string, id: string, ...parameters: Node[]): Algorithm => ({
  id: sequence(oid(id), ...parameters),
  sign: (tbs, key) => sign(hash, tbs, key),
});

const pss = (hash: string, id: string, salt: number): Algorithm => {
  const digest = sequence(oid(id), nothing());
  const parameters = sequence(
    tagged(0, [digest]),
    tagged(1, [sequence(oid('1.2.840.113549.1.1.8'), digest)]),
    tagged(2, [integer(Uint8Array.of(salt))]),
  );
  return {
    id: sequence(oid('1.2.840.113549.1.1.10'), parameters),
    sign: (tbs, key) => sign(hash, tbs, { key, padding: 6, saltLength: salt }),
  };
};

export const algorithms = {
  'RSA-SHA256': hashed('sha256', '1.2.840.113549.1.1.11', nothing()),
  'RSA-SHA512': hashed('sha512', '1.2.840.113549.1.1.13', nothing()),
  'RSA-SHA1': hashed('sha1', '1.2.840.113549.1.1.5', nothing()),
  'RSA-MD5': hashed('md5', '1.2.840.113549.1.1.4', nothing()),
  'RSA-PSS': pss('sha256', '2.16.840.1.101.3.4.2.1', 32),
  'RSA-PSS-salt-20': pss('sha256', '2.16.840.1.101.3.4.2.1', 20),
  'ECDSA-SHA256': hashed('sha256', '1.2.840.10045.4.3.2'),
  'ECDSA-SHA384': hashed('sha384', '1.2.840.10045.4.3.3'),
  'ECDSA-SHA512': hashed('sha512', '1.2.840.10045.4.3.4'),
  'ECDSA-SHA1': hashed('sha1', '1.2.840.10045.4.1'),
  ed25519: { id: sequence(oid('1.3.101.112')), sign: (tbs, key) => sign(null, tbs, key) },
  ed448: { id: sequence(oid('1.3.101.113')), sign: (tbs, key) => sign(null, tbs, key) },
} satisfies Record<string, Algorithm>;

export interface Party {
  name: string;
  key: KeyObject;
}
export const party = (name: string, kind: KeyName = 'P-256'): Party => ({ name, key: keyOf(kind, name) });

export interface Certificate {
  pem: string;
  der: Buffer;
}

export interface Details {
  subject: Party;
  /** Default: the subject itself. */
  issuer?: Party;
  extensions?: Node[];
  algorithm?: keyof typeof algorithms;
  notBefore?: Date;
  notAfter?: Date;
  version?: 1 | 3;
  serial?: Uint8Array;
  /** Instead of that of the subject. */
  spki?: Buffer;
  /** Instead of the common name alone. */
  subjectName?: Node;
  /** What the signature becomes. */
  damage?: (signature: Buffer) => Buffer;
  /** The algorithm that the signed part names, where it is another one. */
  innerAlgorithm?: keyof typeof algorithms;
}

const DAY_MS = 86_400_000;
export const inDays = (days: number): Date => new Date(Date.now() + days * DAY_MS);

export function issue(details: Details): Certificate {
  const { subject, issuer = subject, version = 3, extensions = [] } = details;
  const algorithm = algorithms[details.algorithm ?? usual(issuer.key)];
  const inner = details.innerAlgorithm === undefined ? algorithm : algorithms[details.innerAlgorithm];
  const spki = details.spki ?? createPublicKey(subject.key as never).export({ type: 'spki', format: 'der' });
  const serial = createHash('sha256')
    .update(JSON.stringify([subject.name, issuer.name]))
    .digest()
    .subarray(0, 8);
  const tbs = sequence(
    ...(version === 3 ? [tagged(0, [integer(Uint8Array.of(2))])] : []),
    integer(details.serial ?? Buffer.concat([Buffer.of(0x40), serial])),
    inner.id,
    nameOf(issuer.name),
    sequence(time(details.notBefore ?? inDays(-1)), time(details.notAfter ?? inDays(30))),
    details.subjectName ?? nameOf(subject.name),
    decode(spki),
    ...(extensions.length === 0 ? [] : [tagged(3, [sequence(...extensions)])]),
  );
  const signature = (details.damage ?? ((bytes) => bytes))(algorithm.sign(encode(tbs), issuer.key));
  const der = encode(sequence(tbs, algorithm.id, bits(signature)));
  return { der, pem: toPem('CERTIFICATE', der) };
}

function usual(key: KeyObject): keyof typeof algorithms {
  const type = key.asymmetricKeyType;
  if (type === 'ed25519' || type === 'ed448') return type;
  return type === 'rsa' ? 'RSA-SHA256' : 'ECDSA-SHA256';
}

export const nameOf = (commonName: string): Node =>
  sequence(...(commonName === '' ? [] : [set(sequence(oid('2.5.4.3'), utf8(commonName)))]));

export const extension = (id: string, value: Node | Buffer, critical: 'critical' | '' = ''): Node =>
  sequence(
    oid(id),
    ...(critical === '' ? [] : [booleanTrue()]),
    octets(value instanceof Uint8Array ? value : encode(value)),
  );
