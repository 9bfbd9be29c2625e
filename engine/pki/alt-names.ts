/** Subject alternative names: DNS names and IP addresses. Source: RFC 5280 4.2.1.6. */
import { isIPv6 } from 'node:net';
import {
  children,
  content,
  decode,
  dottedOid,
  encode,
  isContextTag,
  type Node,
  octets,
  oid,
  sequence,
  set,
  tagged,
} from './der.ts';

export const SUBJECT_ALT_NAME = '2.5.29.17';
/** RFC 2985 5.4.2: the attribute of a CSR that requests extensions. */
const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';
const [DNS, IP] = [2, 7];

export const altNamesNode = (names: readonly string[]): Node => sequence(...names.map(altName));

function altName(name: string): Node {
  if (/^\d+(\.\d+){3}$/.test(name)) return tagged(IP, Uint8Array.from(name.split('.').map(Number)));
  return isIPv6(name) ? tagged(IP, bytesOfIPv6(name)) : tagged(DNS, Buffer.from(name));
}

function bytesOfIPv6(text: string): Uint8Array {
  const wholes = (part: string) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)));
  const [head = '', tail] = text.split('::');
  const [before, after] = [wholes(head), wholes(tail ?? '')];
  const zeros = tail === undefined ? [] : Array<number>(8 - before.length - after.length).fill(0);
  return Uint8Array.from([...before, ...zeros, ...after].flatMap((group) => [group >> 8, group & 0xff]));
}

/** The attribute of a CSR that requests these names. */
export const requestOf = (names: readonly string[]): Node =>
  sequence(oid(EXTENSION_REQUEST), set(sequence(sequence(oid(SUBJECT_ALT_NAME), octets(encode(altNamesNode(names)))))));

/** The names that the attributes of a CSR request; IPv6 addresses in full. */
export function requestedNames(attributes: readonly Node[]): string[] {
  const [, values] = attributes.map(children).find(([type]) => dottedOid(type) === EXTENSION_REQUEST) ?? [];
  const extensions = children(children(values)[0]).map(children);
  const value = extensions.find(([type]) => dottedOid(type) === SUBJECT_ALT_NAME)?.at(-1);
  if (value === undefined) return [];
  return children(decode(content(value))).flatMap((name) => {
    const bytes = content(name);
    if (isContextTag(name, DNS)) return [bytes.toString('latin1')];
    if (!isContextTag(name, IP)) return [];
    if (bytes.length === 4) return [[...bytes].join('.')];
    return [Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(at * 2).toString(16)).join(':')];
  });
}
