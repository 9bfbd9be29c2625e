/** The ASN.1 values of CSRs and certificates: node-forge's encoder, with bytes as input and output. */

import type { asn1 as Asn1Types } from 'node-forge';
import asn1 from 'node-forge/lib/asn1.js';

export type Node = Asn1Types.Asn1;

const { Class, Type, create, toDer, fromDer, oidToDer, derToOid } = asn1;

const binary = (bytes: Uint8Array): string => Buffer.from(bytes).toString('binary');

export const sequence = (...children: Node[]): Node => create(Class.UNIVERSAL, Type.SEQUENCE, true, children);
export const set = (...children: Node[]): Node => create(Class.UNIVERSAL, Type.SET, true, children);
export const oid = (dotted: string): Node => create(Class.UNIVERSAL, Type.OID, false, oidToDer(dotted).getBytes());
export const integer = (bytes: Uint8Array): Node => create(Class.UNIVERSAL, Type.INTEGER, false, binary(bytes));
export const booleanTrue = (): Node => create(Class.UNIVERSAL, Type.BOOLEAN, false, '\u00ff');
export const booleanFalse = (): Node => create(Class.UNIVERSAL, Type.BOOLEAN, false, '\u0000');
export const nothing = (): Node => create(Class.UNIVERSAL, Type.NULL, false, '');
export const octets = (bytes: Uint8Array): Node => create(Class.UNIVERSAL, Type.OCTETSTRING, false, binary(bytes));
/** A BIT STRING; `unusedBits` counts the padding bits at its end. */
export const bits = (bytes: Uint8Array, unusedBits = 0): Node =>
  create(Class.UNIVERSAL, Type.BITSTRING, false, String.fromCharCode(unusedBits) + binary(bytes));
export const utf8 = (text: string): Node => create(Class.UNIVERSAL, Type.UTF8, false, binary(Buffer.from(text)));
export const printable = (text: string): Node => create(Class.UNIVERSAL, Type.PRINTABLESTRING, false, text);
/** UTCTime up to 2049, GeneralizedTime later (RFC 5280 4.1.2.5). */
export const time = (at: Date): Node => {
  const digits = at.toISOString().replace(/[-:T]|\.\d+/g, '');
  return at.getUTCFullYear() < 2050
    ? create(Class.UNIVERSAL, Type.UTCTIME, false, digits.slice(2))
    : create(Class.UNIVERSAL, Type.GENERALIZEDTIME, false, digits);
};
/** A context-specific tag: constructed around `children`, or primitive with `bytes`. */
export const tagged = (tag: number, content: Node[] | Uint8Array): Node =>
  content instanceof Uint8Array
    ? create(Class.CONTEXT_SPECIFIC, tag as never, false, binary(content))
    : create(Class.CONTEXT_SPECIFIC, tag as never, true, content);

export const encode = (node: Node): Buffer => Buffer.from(toDer(node).getBytes(), 'binary');
/** Parses exactly one value; throws an Error of one line on trailing bytes or broken DER. */
export function decode(der: Uint8Array): Node {
  try {
    return fromDer(binary(der), { strict: true, parseAllBytes: true, decodeBitStrings: false } as never);
  } catch (error) {
    throw new Error('its bytes are cut short, or are not DER', { cause: error });
  }
}

export const children = (node: Node | undefined): Node[] => (Array.isArray(node?.value) ? node.value : []);
/** The content bytes of a primitive value. */
export const content = (node: Node | undefined): Buffer =>
  typeof node?.value === 'string' ? Buffer.from(node.value, 'binary') : Buffer.alloc(0);
export const dottedOid = (node: Node | undefined): string =>
  typeof node?.value === 'string' && node.value !== '' ? derToOid(node.value) : '';
export const isContextTag = (node: Node | undefined, tag: number): boolean =>
  node !== undefined && node.tagClass === Class.CONTEXT_SPECIFIC && (node.type as number) === tag;

type Tag =
  | 'BOOLEAN'
  | 'INTEGER'
  | 'BITSTRING'
  | 'OCTETSTRING'
  | 'NULL'
  | 'OID'
  | 'SEQUENCE'
  | 'SET'
  | 'UTCTIME'
  | 'GENERALIZEDTIME';
/** The universal tag. DER allows one form for each: sequences and sets are constructed, all others are primitive. */
export const hasTag = (node: Node | undefined, tag: Tag): node is Node =>
  node !== undefined &&
  node.tagClass === Class.UNIVERSAL &&
  node.type === Type[tag] &&
  node.constructed === (tag === 'SEQUENCE' || tag === 'SET');

/** Like `decode`, but refuses bytes that are not DER. */
export function readDer(der: Uint8Array): Node {
  const node = decode(der);
  if (!encode(node).equals(der)) throw new Error('its encoding is not DER');
  return node;
}

/** Like `dottedOid`, but throws an Error of one line if the value is not an OID in DER. */
export function readOid(node: Node | undefined): string {
  const dotted = hasTag(node, 'OID') ? dottedOid(node) : '';
  if (dotted === '' || !content(oid(dotted)).equals(content(node)))
    throw new Error('an object identifier in it is broken');
  return dotted;
}
