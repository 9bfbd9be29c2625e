/** The extensions of certificates that affect trust. Source: RFC 5280 4.2, and Go's crypto/x509. */
import { children, content, hasTag, isContextTag, type Node, readDer, readOid } from './der.ts';
import { type GeneralNames, isEmpty, readGeneralNames, readSubtrees, type Subtrees } from './general-names.ts';

export interface Extensions {
  /** Undefined if the extension is missing. */
  basicConstraints?: { isCa: boolean; pathLength?: number };
  /** Undefined if the extension is missing or allows nothing. Go treats both as "everything". */
  keyUsage?: { certSign: boolean };
  /** Dotted OIDs; empty means everything. */
  usages: string[];
  altNames?: GeneralNames & { der: Buffer };
  nameConstraints?: { permitted: Subtrees; excluded: Subtrees };
  subjectKeyId: string;
  authorityKeyId: string;
  /** Dotted OIDs of critical extensions that this code does not know. Such a certificate must not be used. */
  unknownCritical: string[];
}

type Draft = Extensions;
/** Reads the DER of one extension into the draft. False if the extension is unknown. Throws an Error of one line. */
type Reader = (draft: Draft, value: Buffer, critical: boolean) => boolean;

const READERS: Record<string, Reader | undefined> = {
  '2.5.29.14': (draft, value, critical) => {
    if (critical) throw new Error('its subject key identifier is marked critical');
    const id = readDer(value);
    if (!hasTag(id, 'OCTETSTRING')) throw new Error('its subject key identifier cannot be read');
    draft.subjectKeyId = content(id).toString('hex');
    return true;
  },
  '2.5.29.15': readKeyUsage,
  '2.5.29.17': (draft, value) => {
    const names = readGeneralNames(listOf(value, 'alternative names'));
    draft.altNames = { ...names, der: value };
    return !isEmpty(names);
  },
  '2.5.29.19': readBasicConstraints,
  '2.5.29.30': readNameConstraints,
  '2.5.29.31': (_, value) => listOf(value, 'CRL distribution points').every((point) => hasTag(point, 'SEQUENCE')),
  '2.5.29.32': (_, value) => {
    const ids = listOf(value, 'policies').map((policy) => readOid(children(policy)[0]));
    if (new Set(ids).size !== ids.length) throw new Error('it names a policy twice');
    return true;
  },
  '2.5.29.33': (_, value) => listOf(value, 'policy mappings').every((mapping) => hasTag(mapping, 'SEQUENCE')),
  '2.5.29.35': (draft, value, critical) => {
    if (critical) throw new Error('its authority key identifier is marked critical');
    const id = listOf(value, 'authority key identifier').find((node) => isContextTag(node, 0));
    draft.authorityKeyId = content(id).toString('hex');
    return true;
  },
  '2.5.29.36': (_, value) => listOf(value, 'policy constraints').length > 0,
  '2.5.29.37': (draft, value) => {
    draft.usages = listOf(value, 'extended key usages').map(readOid);
    return true;
  },
  '2.5.29.54': (_, value) => hasTag(readDer(value), 'INTEGER'),
  '1.3.6.1.5.5.7.1.1': (_, value, critical) => {
    if (critical) throw new Error('its authority information is marked critical');
    return listOf(value, 'authority information').every((access) => hasTag(access, 'SEQUENCE'));
  },
};

/** Throws an Error of one line. */
export function readExtensions(nodes: readonly Node[]): Extensions {
  const draft: Draft = { usages: [], subjectKeyId: '', authorityKeyId: '', unknownCritical: [] };
  const seen = new Set<string>();
  for (const node of nodes) {
    const parts = children(node);
    const critical = parts.length > 2 && readBoolean(parts.splice(1, 1)[0]);
    const [id, value] = parts;
    if (!hasTag(node, 'SEQUENCE') || !hasTag(id, 'OID') || !hasTag(value, 'OCTETSTRING') || parts.length > 2)
      throw new Error('one of its extensions cannot be read');
    const name = readOid(id);
    if (seen.has(name)) throw new Error(`it has the extension ${name} twice`);
    seen.add(name);
    const reader = READERS[name];
    const isUnderstood = reader?.(draft, content(value), critical) ?? false;
    if (critical && !isUnderstood) draft.unknownCritical.push(name);
  }
  return draft;
}

function listOf(der: Buffer, what: string): Node[] {
  const node = readDer(der);
  if (!hasTag(node, 'SEQUENCE')) throw new Error(`its ${what} cannot be read`);
  return children(node);
}

function readBoolean(node: Node | undefined): boolean {
  const bytes = content(node);
  if (!hasTag(node, 'BOOLEAN') || bytes.length !== 1 || (bytes[0] !== 0 && bytes[0] !== 0xff))
    throw new Error('a boolean in it cannot be read');
  return bytes[0] === 0xff;
}

const CERT_SIGN = 0x04;

function readKeyUsage(draft: Draft, value: Buffer): boolean {
  const node = readDer(value);
  const [unused, ...bytes] = content(node);
  if (!hasTag(node, 'BITSTRING') || unused === undefined || unused > 7) throw new Error('its key usage cannot be read');
  if (bytes.some((byte) => byte !== 0)) draft.keyUsage = { certSign: ((bytes[0] ?? 0) & CERT_SIGN) !== 0 };
  return true;
}

function readBasicConstraints(draft: Draft, value: Buffer): boolean {
  const parts = [...listOf(value, 'basic constraints')];
  const isCa = hasTag(parts[0], 'BOOLEAN') && readBoolean(parts.shift());
  const [length, ...more] = parts;
  if (more.length > 0 || (length !== undefined && !hasTag(length, 'INTEGER')))
    throw new Error('its basic constraints cannot be read');
  const bytes = content(length);
  if (bytes.length > 6 || (bytes[0] ?? 0) > 0x7f) throw new Error('its path length is not a number');
  const pathLength = bytes.length === 0 ? undefined : bytes.readUIntBE(0, bytes.length);
  draft.basicConstraints = pathLength === undefined ? { isCa } : { isCa, pathLength };
  return true;
}

function readNameConstraints(draft: Draft, value: Buffer): boolean {
  const parts = listOf(value, 'name constraints');
  const bases = (tag: number) =>
    parts
      .filter((part) => isContextTag(part, tag))
      .flatMap((part) => {
        const subtrees = children(part);
        if (subtrees.length === 0) throw new Error('its name constraints are empty');
        return subtrees.map((subtree) => children(subtree)[0]);
      });
  const tags = parts.map((part) => [0, 1].find((tag) => isContextTag(part, tag)));
  if (tags.length === 0 || tags.includes(undefined) || new Set(tags).size !== tags.length)
    throw new Error('its name constraints cannot be read');
  const [permitted, excluded] = [readSubtrees(bases(0)), readSubtrees(bases(1))];
  draft.nameConstraints = { permitted, excluded };
  return !permitted.hasOthers && !excluded.hasOthers;
}
