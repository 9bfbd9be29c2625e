/**
 * Verifies the certificates that a server presents, for a host, at a time. The verdicts are those of Go's crypto/x509,
 * which the kubelet uses. If the versions of Go differ, the strictest counts. Source: Go, crypto/x509/verify.go.
 */
import { hostNamesOf, isForHost } from './host-names.ts';
import { forbiddenName } from './name-constraints.ts';
import { isSignature } from './signatures.ts';
import type { TrustAnchors } from './trust-anchors.ts';
import { readX509, type X509 } from './x509.ts';

export type ChainFault =
  | 'unreadable'
  | 'unknown-authority'
  | 'expired'
  | 'not-yet-valid'
  | 'host-mismatch'
  | 'name-constraint'
  | 'path-length'
  | 'not-a-ca'
  | 'key-usage'
  | 'extended-key-usage'
  | 'signature-algorithm'
  | 'weak-key'
  | 'unsupported-key'
  | 'critical-extension'
  | 'too-many-certificates';

export interface ChainRefusal {
  fault: ChainFault;
  /** The fact in plain words, with the offending value. */
  what: string;
  /** With `host-mismatch`: the names that the certificate is for. */
  names?: string[];
}

export interface ChainQuestion {
  /** In the order of the server: its own certificate first, as DER. */
  presented: readonly Uint8Array[];
  /** Further certificates that may lead from the server's to an anchor. */
  intermediates?: readonly X509[];
  anchors: TrustAnchors;
  /** A name, or an address without brackets. */
  host: string;
  now: Date;
}

const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const ANY_USAGE = '2.5.29.37.0';
const [RSA_BITS_MIN, RSA_BITS_MAX] = [1024, 8192];
const PRESENTED_MAX = 100;
/** As in Go: certificates with the same name can form millions of paths. */
const SIGNATURES_MAX = 100;

/** Undefined if the certificates are valid. */
export function chainRefusal({
  presented,
  intermediates = [],
  anchors,
  host,
  now,
}: ChainQuestion): ChainRefusal | undefined {
  if (presented.length > PRESENTED_MAX)
    return refusal('too-many-certificates', `it presents ${presented.length} certificates, more than ${PRESENTED_MAX}`);
  const read: X509[] = [];
  for (const der of presented) {
    try {
      read.push(readX509(der));
    } catch (error) {
      return refusal(
        'unreadable',
        `certificate ${read.length + 1} of ${presented.length}: ${(error as Error).message}`,
      );
    }
  }
  const [leaf, ...others] = read;
  if (leaf === undefined) return refusal('unreadable', 'it presents no certificate');
  const search = new Search(anchors, [...others, ...intermediates], now);
  return keyFault(read) ?? fitness(leaf, [], now) ?? search.pathFrom([leaf]) ?? hostFault(leaf, host);
}

const refusal = (fault: ChainFault, what: string): ChainRefusal => ({ fault, what });

/** Checks all presented certificates, because Go's TLS does. */
function keyFault([leaf, ...rest]: readonly X509[]): ChainRefusal | undefined {
  if (leaf?.publicKey.kind === 'other')
    return refusal('unsupported-key', `the key of ${quoted(leaf)} is neither RSA nor ECDSA nor Ed25519`);
  const large = [leaf, ...rest].find((certificate) => (certificate?.publicKey.bits ?? 0) > RSA_BITS_MAX);
  if (large !== undefined)
    return refusal('unsupported-key', `the RSA key of ${quoted(large)} has more than ${RSA_BITS_MAX} bits`);
  return leaf && weakKey(leaf);
}

function weakKey(certificate: X509): ChainRefusal | undefined {
  const { kind, bits } = certificate.publicKey;
  if (kind !== 'rsa' || bits >= RSA_BITS_MIN) return undefined;
  return refusal('weak-key', `the RSA key of ${quoted(certificate)} has ${bits} bits, fewer than ${RSA_BITS_MIN}`);
}

function hostFault(leaf: X509, host: string): ChainRefusal | undefined {
  if (isForHost(leaf, host)) return undefined;
  const names = hostNamesOf(leaf);
  const isByName = leaf.altNames === undefined && leaf.commonName !== '';
  const what = isByName
    ? `it has no subject alternative names, and its common name ${leaf.commonName} does not count`
    : `it is for ${names.join(', ') || 'no host'}, not for ${host}`;
  return { ...refusal('host-mismatch', what), names };
}

/** Searches for a path to an anchor, depth first, and remembers the first problem. */
class Search {
  readonly #anchors: TrustAnchors;
  readonly #intermediates: readonly X509[];
  readonly #now: Date;
  #signatures = 0;
  /** A CA with the right name and signature that is not valid. This is a better explanation than a wrong signature. */
  #unfit: ChainRefusal | undefined;
  #unsigned: ChainRefusal | undefined;

  constructor(anchors: TrustAnchors, intermediates: readonly X509[], now: Date) {
    this.#anchors = anchors;
    this.#intermediates = intermediates;
    this.#now = now;
  }

  pathFrom(chain: readonly [X509, ...X509[]]): ChainRefusal | undefined {
    const [leaf] = chain;
    if (this.#anchors.has(leaf.der) || this.#isAnchored(chain)) return undefined;
    if (this.#signatures > SIGNATURES_MAX)
      return refusal('too-many-certificates', `no path was found within ${SIGNATURES_MAX} signatures`);
    const issuer = leaf.issuer.equals(leaf.subject) ? 'itself' : `"${leaf.issuerLabel}"`;
    const unknown = `${quoted(leaf)} was issued by ${issuer}, and no path from there leads to a trusted CA`;
    return this.#unfit ?? this.#unsigned ?? refusal('unknown-authority', unknown);
  }

  #isAnchored(chain: readonly X509[]): boolean {
    const child = chain.at(-1) as X509;
    const isIssuer = (candidate: X509, isAnchor: boolean): boolean => this.#takes(chain, child, candidate, isAnchor);
    const own = byKeyId(child, this.#anchors.withSubject(child.issuer));
    if (own.some((anchor) => isIssuer(anchor, true))) return true;
    const presented = this.#intermediates.filter(({ subject }) => subject.equals(child.issuer));
    return byKeyId(child, presented).some(
      (candidate) => isIssuer(candidate, false) && this.#isAnchored([...chain, candidate]),
    );
  }

  #takes(chain: readonly X509[], child: X509, candidate: X509, isAnchor: boolean): boolean {
    if (chain.some((certificate) => isSame(certificate, candidate))) return false;
    this.#signatures++;
    if (this.#signatures > SIGNATURES_MAX) return false;
    const unsigned = signatureFault(child, candidate);
    this.#unsigned ??= unsigned;
    if (unsigned !== undefined) return false;
    const unfit = fitness(candidate, chain, this.#now) ?? (isAnchor ? undefined : intermediateFault(candidate));
    this.#unfit ??= unfit;
    return unfit === undefined;
  }
}

/** Certificates with a matching key identifier come first, because the others are rarely the issuer. */
const byKeyId = ({ authorityKeyId }: X509, candidates: X509[]): X509[] =>
  candidates.toSorted((a, b) => Number(b.subjectKeyId === authorityKeyId) - Number(a.subjectKeyId === authorityKeyId));

/** Compares name, key and alternative names, because cross-signed CAs would otherwise form cycles. */
const isSame = (a: X509, b: X509): boolean =>
  a.subject.equals(b.subject) &&
  a.publicKey.spki.equals(b.publicKey.spki) &&
  (a.altNames?.der.toString('hex') ?? '') === (b.altNames?.der.toString('hex') ?? '');

/** Why `parent` cannot have signed `child`. */
function signatureFault(child: X509, parent: X509): ChainRefusal | undefined {
  const { basicConstraints, version, keyUsage, publicKey } = parent;
  // Before v3, certificates had no field for it.
  if (basicConstraints === undefined ? version === 3 : !basicConstraints.isCa)
    return refusal('not-a-ca', `${quoted(parent)}, which signed ${quoted(child)}, is not a CA`);
  if (keyUsage !== undefined && !keyUsage.certSign)
    return refusal('key-usage', `the key usage of ${quoted(parent)} does not allow it to sign certificates`);
  if (child.algorithm.scheme === undefined)
    return refusal(
      'signature-algorithm',
      `${quoted(child)} is signed with ${child.algorithm.name}, which is not accepted`,
    );
  if (publicKey.kind === 'other')
    return refusal('unsupported-key', `the key of ${quoted(parent)} is neither RSA nor ECDSA nor Ed25519`);
  const weak = weakKey(parent);
  if (weak !== undefined) return weak;
  if (isSignature(child.algorithm, child.signature, child.tbs, publicKey)) return undefined;
  return refusal('unknown-authority', `${quoted(child)} is not signed by the key of ${quoted(parent)}`);
}

/** Whether a certificate may be the issuer of `below`, the chain so far. A leaf is not an issuer. */
function fitness(certificate: X509, below: readonly X509[], now: Date): ChainRefusal | undefined {
  const { unknownCritical, notBefore, notAfter, usages, basicConstraints } = certificate;
  const [critical] = unknownCritical;
  if (critical !== undefined)
    return refusal(
      'critical-extension',
      `${quoted(certificate)} has the critical extension ${critical}, which is unknown`,
    );
  if (now < notBefore)
    return refusal(
      'not-yet-valid',
      `the certificate is not yet valid: ${quoted(certificate)} starts at ${iso(notBefore)}, and now it is ${iso(now)}`,
    );
  if (now > notAfter)
    return refusal(
      'expired',
      `the certificate has expired: ${quoted(certificate)} ended at ${iso(notAfter)}, and now it is ${iso(now)}`,
    );
  if (usages.length > 0 && !usages.includes(SERVER_AUTH) && !usages.includes(ANY_USAGE))
    return refusal('extended-key-usage', `${quoted(certificate)} is not for servers (its extended key usage)`);
  const name = below.length === 0 ? undefined : forbiddenName(certificate, below);
  if (name !== undefined) return refusal('name-constraint', `${quoted(certificate)} restricts names: ${name}`);
  const { pathLength } = basicConstraints ?? {};
  if (pathLength !== undefined && below.length - 1 > pathLength)
    return refusal(
      'path-length',
      `${quoted(certificate)} allows ${pathLength} CAs below it, and there are ${below.length - 1}`,
    );
  return undefined;
}

const intermediateFault = (certificate: X509): ChainRefusal | undefined =>
  certificate.basicConstraints?.isCa === true
    ? undefined
    : refusal('not-a-ca', `${quoted(certificate)} is not marked as a CA`);

const quoted = ({ label }: X509): string => `"${label}"`;
const iso = (date: Date): string => `${date.toISOString().slice(0, 19)}Z`;
