/** Names in certificates, parsed like Go's crypto/x509. Source of the forms: RFC 5280 4.2.1.6 and 4.2.1.10. */
import { isIP } from 'node:net';
import { content, isContextTag, type Node } from './der.ts';

export interface GeneralNames {
  dns: string[];
  emails: string[];
  uris: Uri[];
  /** 4 or 16 bytes. */
  ips: Buffer[];
}

export interface Uri {
  text: string;
  /** Without user and port; empty if the URI has no host. */
  host: string;
}

const [EMAIL, DNS, URI, IP] = [1, 2, 6, 7];

/** Skips kinds of names that are not checked. Throws an Error of one line. */
export function readGeneralNames(nodes: readonly Node[]): GeneralNames {
  const names: GeneralNames = { dns: [], emails: [], uris: [], ips: [] };
  for (const node of nodes) {
    if (node.constructed) continue;
    if (isContextTag(node, EMAIL)) names.emails.push(asciiOf(node));
    else if (isContextTag(node, DNS)) names.dns.push(asciiOf(node));
    else if (isContextTag(node, URI)) names.uris.push(readUri(asciiOf(node)));
    else if (isContextTag(node, IP)) names.ips.push(readIp(content(node)));
  }
  return names;
}

export const isEmpty = ({ dns, emails, uris, ips }: GeneralNames): boolean =>
  dns.length + emails.length + uris.length + ips.length === 0;

export interface IpRange {
  address: Buffer;
  mask: Buffer;
}

export interface Subtrees {
  dns: string[];
  emails: string[];
  uris: string[];
  ips: IpRange[];
  /** Whether some of its names are of a kind that is not checked. */
  hasOthers: boolean;
}

/** The bases of `GeneralSubtrees`. Throws an Error of one line. */
export function readSubtrees(bases: readonly (Node | undefined)[]): Subtrees {
  const found: Subtrees = { dns: [], emails: [], uris: [], ips: [], hasOthers: false };
  for (const node of bases) {
    if (node === undefined) throw new Error('a name constraint is empty');
    if (isContextTag(node, DNS)) found.dns.push(readConstraint(asciiOf(node)));
    else if (isContextTag(node, EMAIL)) found.emails.push(readEmailConstraint(asciiOf(node)));
    else if (isContextTag(node, URI)) found.uris.push(readUriConstraint(asciiOf(node)));
    else if (isContextTag(node, IP)) found.ips.push(readRange(content(node)));
    else found.hasOthers = true;
  }
  return found;
}

function asciiOf(node: Node): string {
  const text = content(node).toString('latin1');
  if (node.constructed || /[^\0-\x7f]/.test(text)) throw new Error('a name in it is not ASCII');
  return text;
}

function readIp(bytes: Buffer): Buffer {
  if (bytes.length !== 4 && bytes.length !== 16) throw new Error(`it has an IP address of ${bytes.length} bytes`);
  if (isMapped(bytes)) throw new Error('it has an IPv4 address that is written as IPv6');
  return bytes;
}

const MAPPED = Buffer.from('00000000000000000000ffff', 'hex');
const isMapped = (bytes: Buffer): boolean => bytes.length === 16 && bytes.subarray(0, 12).equals(MAPPED);

/** The bytes of an address: four for an IPv4 address in IPv6 notation. Undefined for a name. */
export function bytesOfAddress(host: string): Buffer | undefined {
  if (isIP(host) === 4) return Buffer.from(host.split('.').map(Number));
  if (isIP(host) !== 6 || host.includes('%')) return undefined;
  const [left = '', right] = embedded(host).split('::');
  const groups = (part: string) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)));
  const [before, after] = [groups(left), groups(right ?? '')];
  const zeros = Array<number>(8 - before.length - after.length).fill(0);
  const bytes = Buffer.from([...before, ...zeros, ...after].flatMap((group) => [group >> 8, group & 0xff]));
  return isMapped(bytes) ? bytes.subarray(12) : bytes;
}

/** `::ffff:1.2.3.4` as two groups. */
const embedded = (host: string): string =>
  host.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...parts: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = parts.slice(0, 4).map(Number);
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });

export function textOfAddress(bytes: Buffer): string {
  if (bytes.length === 4) return [...bytes].join('.');
  const groups = Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(at * 2).toString(16));
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}

/** No label is empty, and all are printable. */
export const isDomain = (text: string): boolean => /^[\x21-\x2d\x2f-\x7e]+(\.[\x21-\x2d\x2f-\x7e]+)*$/.test(text);

/** A leading period means "at least one more label"; an empty constraint matches everything. */
function readConstraint(text: string): string {
  if (text !== '' && !isDomain(text.replace(/^\./, ''))) throw new Error(`its name constraint ${text} is not a domain`);
  return text;
}

function readEmailConstraint(text: string): string {
  if (!text.includes('@')) return readConstraint(text);
  if (mailboxOf(text) === undefined) throw new Error(`its name constraint ${text} is not a mailbox`);
  return text;
}

function readUriConstraint(text: string): string {
  if (isIP(text) !== 0) throw new Error(`its name constraint ${text} is an IP address, not a domain`);
  return readConstraint(text);
}

function readRange(bytes: Buffer): IpRange {
  if (bytes.length !== 8 && bytes.length !== 32) throw new Error('its name constraint is not a range of addresses');
  const half = bytes.length / 2;
  const [address, mask] = [bytes.subarray(0, half), bytes.subarray(half)];
  const bits = [...mask].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  if (!/^1*0*$/.test(bits)) throw new Error('its name constraint has a mask that is not a prefix');
  if (isMapped(address)) throw new Error('it has an IPv4 address that is written as IPv6');
  return { address, mask };
}

const BROKEN_ESCAPE = /%(?![0-9a-fA-F]{2})/;
const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*:/;

function readUri(text: string): Uri {
  const rest = text.replace(SCHEME, '');
  const [, authority = ''] = /^\/\/([^/?#]*)/.exec(rest) ?? [];
  const place = authority.slice(authority.lastIndexOf('@') + 1);
  const host = /^(\[[^\]]*\]|[^:[\]]*)(?::\d*)?$/.exec(place)?.[1];
  const isBroken = /[\0-\x20\x7f]/.test(text) || BROKEN_ESCAPE.test(text) || (rest === text && /^[^/?#]*:/.test(text));
  if (isBroken || host === undefined || (host !== '' && !isDomain(host)))
    throw new Error(`its name ${text} is not a URI`);
  return { text, host };
}

/** RFC 2821 4.1.2, without comments: a dotted atom or a quoted string, and a domain. Undefined for any other text. */
export function mailboxOf(text: string): { local: string; domain: string } | undefined {
  const [, quoted, atoms, domain = ''] =
    /^(?:"((?:[^"\\\0\n\r\x80-\uffff]|\\[\x01-\x09\x0b\x0c\x0e-\x7f])*)"|([\w.!#$%&'*+/=?^`{|}~\\-]+))@(.+)$/.exec(
      text,
    ) ?? [];
  if (!isDomain(domain)) return undefined;
  const local = (quoted ?? atoms ?? '').replace(/\\(.)/gs, '$1');
  if (quoted === undefined && (local === '' || /^\.|\.$|\.\./.test(local))) return undefined;
  return { local, domain };
}
