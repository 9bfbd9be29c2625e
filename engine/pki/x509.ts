/**
 * Certificates, parsed like Go's crypto/x509. OpenSSL accepts more, which a kubelet would refuse. If Go versions from
 * 1.15 on differ, the strictest counts, so that every kubelet accepts what is accepted here.
 */
import { children, content, encode, hasTag, isContextTag, type Node, readDer } from './der.ts';
import { decodeName } from './name.ts';
import { type PublicKey, readPublicKey } from './public-key.ts';
import { readSignatureAlgorithm, type SignatureAlgorithm } from './signatures.ts';
import { type Extensions, readExtensions } from './x509-extensions.ts';

export interface X509 extends Extensions {
  der: Buffer;
  /** The part that is signed. */
  tbs: Buffer;
  version: number;
  /** DER names, compared byte by byte like in Go. */
  issuer: Buffer;
  subject: Buffer;
  /** For messages: the common name, or the organization, or the serial number. */
  label: string;
  issuerLabel: string;
  commonName: string;
  notBefore: Date;
  notAfter: Date;
  publicKey: PublicKey;
  algorithm: SignatureAlgorithm;
  signature: Buffer;
}

/** Throws an Error of one line that says why Go would not read this certificate. */
export function readX509(der: Uint8Array): X509 {
  const [tbs, outerAlgorithm, signature, ...rest] = fieldsOf(readDer(der), 'the certificate');
  if (signature === undefined || rest.length > 0) throw new Error('the certificate does not have three parts');
  const fields = fieldsOf(tbs, 'the signed part');
  const version = isContextTag(fields[0], 0) ? versionOf(fields.shift()) : 1;
  const [serial, algorithm, issuer, validity, subject, spki, ...optional] = fields;
  if (spki === undefined || tbs === undefined) throw new Error('the signed part is incomplete');
  if (outerAlgorithm === undefined || algorithm === undefined || !encode(algorithm).equals(encode(outerAlgorithm)))
    throw new Error('it names two different signature algorithms');
  const serialNumber = serialOf(serial);
  const [notBefore, notAfter] = fieldsOf(validity, 'the validity').map(timeOf);
  if (notBefore === undefined || notAfter === undefined) throw new Error('its validity does not have two times');
  for (const name of [issuer, subject]) assertName(name);
  const [{ commonName, organizations }, issued] = [decodeName(subject), decodeName(issuer)];
  return {
    der: Buffer.from(der),
    tbs: encode(tbs),
    version,
    issuer: encode(issuer as Node),
    subject: encode(subject as Node),
    label: commonName || organizations[0] || `serial ${serialNumber}`,
    issuerLabel: issued.commonName || issued.organizations[0] || 'a CA without a name',
    commonName,
    notBefore,
    notAfter,
    publicKey: readPublicKey(spki),
    algorithm: readSignatureAlgorithm(algorithm),
    signature: bitsOf(signature),
    ...readExtensions(extensionsOf(optional, version)),
  };
}

function fieldsOf(node: Node | undefined, what: string): Node[] {
  if (!hasTag(node, 'SEQUENCE')) throw new Error(`${what} is not a sequence`);
  return [...children(node)];
}

/** The version that people use: X.509 v3 is encoded as 2. */
function versionOf(node: Node | undefined): number {
  const [number] = children(node);
  const bytes = content(number);
  const version = hasTag(number, 'INTEGER') && bytes.length === 1 ? bytes.readInt8() + 1 : 0;
  if (version < 1 || version > 3) throw new Error('its version is unknown');
  return version;
}

function serialOf(node: Node | undefined): string {
  const bytes = content(node);
  if (!hasTag(node, 'INTEGER') || bytes.length === 0) throw new Error('it has no serial number');
  if (bytes.readInt8() < 0) throw new Error('its serial number is negative');
  return bytes.toString('hex');
}

const YEAR_DIGITS = { UTCTIME: 2, GENERALIZEDTIME: 4 } as const;

/** RFC 5280 4.1.2.5: in UTC and with seconds. */
function timeOf(node: Node): Date {
  const type = (['UTCTIME', 'GENERALIZEDTIME'] as const).find((name) => hasTag(node, name));
  const text = content(node).toString('latin1');
  const yearDigits = type === undefined ? 0 : YEAR_DIGITS[type];
  if (yearDigits === 0 || text.length !== yearDigits + 11 || !/^\d+Z$/.test(text)) throw new Error('it has no dates');
  const digits = text.slice(0, -1);
  const full = yearDigits === 4 ? digits : `${Number(digits.slice(0, 2)) < 50 ? '20' : '19'}${digits}`;
  const [year, month, day, hour, minute, second] = [0, 4, 6, 8, 10, 12].map((at) =>
    full.slice(at, at === 0 ? 4 : at + 2),
  );
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const date = new Date(iso);
  if (Number.isNaN(date.getTime()) || date.toISOString() !== iso) throw new Error(`its date ${text} does not exist`);
  return date;
}

function assertName(name: Node | undefined): void {
  const isName =
    hasTag(name, 'SEQUENCE') &&
    children(name).every((set) => hasTag(set, 'SET') && children(set).every((part) => hasTag(part, 'SEQUENCE')));
  if (!isName) throw new Error('its subject or issuer is not a name');
}

function bitsOf(node: Node): Buffer {
  const bytes = content(node);
  if (!hasTag(node, 'BITSTRING') || bytes[0] !== 0) throw new Error('its signature is not a string of bytes');
  return bytes.subarray(1);
}

/** Unique identifiers ([1] and [2]) are skipped; before v3 there are no extensions. */
function extensionsOf(optional: readonly Node[], version: number): Node[] {
  const wrapper = optional.find((node) => isContextTag(node, 3));
  if (wrapper === undefined) return [];
  if (version !== 3) throw new Error(`it has extensions, which version ${version} does not have`);
  const [list, ...more] = children(wrapper);
  if (more.length > 0) throw new Error('its extensions are not one list');
  return fieldsOf(list, 'the list of extensions');
}
