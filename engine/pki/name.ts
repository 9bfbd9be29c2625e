/** X.500 names as Kubernetes uses them: organizations (groups) and one common name (user). */
import { children, content, decode, dottedOid, encode, type Node, oid, printable, sequence, set, utf8 } from './der.ts';

const COMMON_NAME = '2.5.4.3';
const ORGANIZATION = '2.5.4.10';

export interface Name {
  commonName: string;
  organizations: string[];
}

/** Encoded with O before CN, like Go's crypto/x509. */
export function encodeName({ commonName, organizations }: Name): Node {
  // Go writes PrintableString if the alphabet allows it. Doing the same gives equal bytes.
  const text = (value: string): Node => (/^[A-Za-z0-9 '()+,\-./:=?]*$/.test(value) ? printable(value) : utf8(value));
  const part = (type: string, values: string[]): Node[] =>
    values.length === 0 ? [] : [set(...values.map((value) => sequence(oid(type), text(value))))];
  return sequence(...part(ORGANIZATION, organizations), ...part(COMMON_NAME, commonName === '' ? [] : [commonName]));
}

export function decodeName(name: Node | undefined): Name {
  const found: Name = { commonName: '', organizations: [] };
  for (const attribute of children(name).flatMap(children)) {
    const [type, value] = children(attribute);
    const text = content(value).toString('utf8');
    if (dottedOid(type) === COMMON_NAME) found.commonName = text;
    if (dottedOid(type) === ORGANIZATION) found.organizations.push(text);
  }
  return found;
}

export const sameName = (a: Node, b: Node): boolean => encode(a).equals(encode(b));
export const decodeNameBytes = (der: Uint8Array): Name => decodeName(decode(der));
