/** Rows about algorithms, keys, times and encodings. */
import { booleanFalse, encode, integer, sequence } from '../../../engine/pki/der.ts';
import { type CertificateCase, HOST, LEAF, leaf, ROOT, root, row } from './case.ts';
import { altNames, authorityKeyId, ca, subjectKeyId } from './extensions.ts';
import { hugeRsaKey } from './huge-key.ts';
import { extension, inDays, issue, type KeyName, type Party, party } from './issue.ts';

const names = altNames(`IP:${HOST}`);
/** A root of this kind of key signs a leaf. */
const signedBy = (kind: KeyName, algorithm?: Parameters<typeof leaf>[0]): Partial<CertificateCase> => {
  const issuer = party(`root-${kind}`, kind);
  return {
    chain: [leaf({ issuer, ...algorithm })],
    roots: [issue({ subject: issuer, extensions: [ca()] })],
  };
};
const served = (kind: KeyName): Partial<CertificateCase> => {
  const subject: Party = party(`leaf-${kind}`, kind);
  return { leaf: subject, chain: [leaf({ subject })] };
};

export const algorithmRows = (): CertificateCase[] => [
  row('RSA with SHA-256', 'verified', signedBy('rsa2048')),
  row('RSA with SHA-512', 'verified', signedBy('rsa2048', { algorithm: 'RSA-SHA512' })),
  row('RSA-PSS', 'verified', signedBy('rsa2048', { algorithm: 'RSA-PSS' })),
  row('RSA-PSS with a short salt', 'signature-algorithm', signedBy('rsa2048', { algorithm: 'RSA-PSS-salt-20' })),
  row('RSA with SHA-1', 'signature-algorithm', signedBy('rsa2048', { algorithm: 'RSA-SHA1' })),
  row('RSA with MD5', 'signature-algorithm', signedBy('rsa2048', { algorithm: 'RSA-MD5' })),
  row('ECDSA with SHA-1', 'signature-algorithm', { chain: [leaf({ algorithm: 'ECDSA-SHA1' })] }),
  row('a root that is signed with SHA-1', 'verified', { roots: [root({ algorithm: 'ECDSA-SHA1' })] }),
  row('a CA of P-224', 'verified', signedBy('P-224')),
  row('a CA of P-384', 'verified', signedBy('P-384', { algorithm: 'ECDSA-SHA384' })),
  row('a CA of P-521', 'verified', signedBy('P-521', { algorithm: 'ECDSA-SHA512' })),
  row('a CA of Ed25519', 'verified', signedBy('ed25519')),
  row('a CA of secp256k1', 'unknown-authority', signedBy('secp256k1')),
  row('a CA of Ed448', 'signature-algorithm', signedBy('ed448')),
  row('a CA of 1024 bits', 'verified', signedBy('rsa1024')),
  row('a CA of 768 bits', 'weak-key', {
    ...signedBy('rsa768'),
    stricter: 'Go refuses fewer than 1024 bits from 1.24 on',
  }),
  row('a server key of RSA', 'verified', served('rsa2048')),
  row('a server key of 1024 bits', 'verified', served('rsa1024')),
  row('a server key of 768 bits', 'weak-key', {
    ...served('rsa768'),
    stricter: 'Go refuses fewer than 1024 bits from 1.24 on',
  }),
  row('a server key of Ed25519', 'verified', served('ed25519')),
  row('a server key of P-384', 'verified', served('P-384')),
  row('a server key of secp256k1', 'unreadable', served('secp256k1')),
  row('a server key of Ed448', 'unsupported-key', served('ed448')),
  row('a key of 8200 bits among those that are presented', 'unsupported-key', {
    chain: [leaf(), issue({ subject: party('huge'), spki: hugeRsaKey(8200) })],
  }),
  row('two algorithms in one certificate', 'unreadable', {
    chain: [leaf({ innerAlgorithm: 'ECDSA-SHA384' })],
    unservable: 'OpenSSL does not load it',
  }),
];

export const timeRows = (): CertificateCase[] => [
  row('a leaf that has expired', 'expired', { chain: [leaf({ notBefore: inDays(-9), notAfter: inDays(-1) })] }),
  row('a leaf of tomorrow', 'not-yet-valid', { chain: [leaf({ notBefore: inDays(1), notAfter: inDays(9) })] }),
  row('a root that has expired', 'expired', { roots: [root({ notBefore: inDays(-9), notAfter: inDays(-1) })] }),
  row('a root of tomorrow', 'not-yet-valid', { roots: [root({ notBefore: inDays(1), notAfter: inDays(9) })] }),
  row('a leaf without end', 'verified', { chain: [leaf({ notAfter: new Date('9999-12-31T23:59:59Z') })] }),
  row('a leaf of the year 2049', 'verified', { chain: [leaf({ notAfter: new Date('2049-12-31T23:59:59Z') })] }),
];

export const encodingRows = (): CertificateCase[] => [
  row('a critical extension that is unknown', 'critical-extension', {
    chain: [leaf({ extensions: [names, extension('1.3.6.1.4.1.99999.2', sequence(), 'critical')] })],
  }),
  row('an extension that is unknown', 'verified', {
    chain: [leaf({ extensions: [names, extension('1.3.6.1.4.1.99999.2', Buffer.from('anything'))] })],
  }),
  row('a critical extension of the root that is unknown', 'critical-extension', {
    roots: [root({ extensions: [ca(), extension('1.3.6.1.4.1.99999.2', sequence(), 'critical')] })],
  }),
  row('alternative names twice', 'unreadable', { chain: [leaf({ extensions: [names, names] })] }),
  row('a critical subject key identifier', 'unreadable', {
    chain: [leaf({ extensions: [names, subjectKeyId('id', 'critical')] })],
  }),
  row('a critical authority key identifier', 'unreadable', {
    chain: [leaf({ extensions: [names, authorityKeyId('id', 'critical')] })],
  }),
  row('a negative serial number', 'unreadable', { chain: [leaf({ serial: Buffer.of(0xff, 0x01) })] }),
  row('extensions in version 1', 'unreadable', {
    chain: [leaf({ version: 1 })],
    unservable: 'OpenSSL does not load it',
  }),
  row('a leaf of version 1', 'host-mismatch', { chain: [leaf({ version: 1, extensions: [] })] }),
  row('a certificate among those presented that cannot be read', 'unreadable', {
    chain: [leaf(), issue({ subject: ROOT, serial: Buffer.of(0xff, 0x01) })],
  }),
  row('a trusted certificate that cannot be read, beside one that can', 'verified', {
    roots: [root({ serial: Buffer.of(0xff, 0x01) }), root()],
  }),
  row('the only trusted certificate cannot be read', 'unknown-authority', {
    roots: [root({ serial: Buffer.of(0xff, 0x01) })],
  }),
  row('basic constraints with a truth value that is neither 0 nor 255', 'unreadable', {
    chain: [leaf({ extensions: [names, extension('2.5.29.19', Buffer.from('3003010101', 'hex'))] })],
    leaf: LEAF,
  }),
  row('basic constraints with a length and no CA', 'verified', {
    chain: [
      leaf({
        extensions: [names, extension('2.5.29.19', encode(sequence(booleanFalse(), integer(Uint8Array.of(0)))))],
      }),
    ],
  }),
];
