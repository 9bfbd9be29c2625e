/**
 * Name constraints of a CA: the names that certificates below it may have. Go's rules became stricter over the years. A
 * name is permitted here if every version permits it, and excluded if one version excludes it.
 */
import {
  type GeneralNames,
  type IpRange,
  isDomain,
  mailboxOf,
  type Subtrees,
  textOfAddress,
  type Uri,
} from './general-names.ts';
import type { X509 } from './x509.ts';

/** As in Go: checking thousands of names against thousands of constraints would take minutes. */
const COMPARISONS_MAX = 250_000;

/** Why `ca` does not allow the names of `below`, the chain from the leaf up to it; undefined if it does. */
export function forbiddenName(ca: X509, below: readonly X509[]): string | undefined {
  const { nameConstraints } = ca;
  if (nameConstraints === undefined) return undefined;
  const { permitted, excluded } = nameConstraints;
  let comparisons = 0;
  for (const { altNames } of [...below, ca]) {
    if (altNames === undefined) continue;
    comparisons += countOf(altNames) * (sizeOf(permitted) + sizeOf(excluded));
    if (comparisons > COMPARISONS_MAX) return 'it has too many names and name constraints to check';
    const problem =
      altNames.dns.map((name) => forbiddenDns(name, permitted.dns, excluded.dns)).find(isProblem) ??
      altNames.ips.map((ip) => forbiddenIp(ip, permitted.ips, excluded.ips)).find(isProblem) ??
      altNames.emails.map((name) => forbiddenEmail(name, permitted.emails, excluded.emails)).find(isProblem) ??
      altNames.uris.map((uri) => forbiddenUri(uri, permitted.uris, excluded.uris)).find(isProblem);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

const isProblem = (problem: string | undefined): problem is string => problem !== undefined;
const countOf = ({ dns, ips, emails, uris }: GeneralNames): number =>
  dns.length + ips.length + emails.length + uris.length;
const sizeOf = ({ dns, ips, emails, uris }: Subtrees): number => dns.length + ips.length + emails.length + uris.length;

function forbiddenDns(name: string, permitted: string[], excluded: string[]): string | undefined {
  if (!isDomain(name)) return `${name} is not a DNS name`;
  const isWithin = (constraint: string) => isBelow(name, constraint);
  // A wildcard could stand for the excluded name.
  const isWildcardOf = (constraint: string) => name.startsWith('*.') && parentOf(constraint) === lower(name.slice(2));
  return verdict(
    name,
    permitted.length === 0 || permitted.some(isWithin),
    excluded.find((constraint) => isWithin(constraint) || isWildcardOf(constraint)),
  );
}

function forbiddenIp(ip: Buffer, permitted: IpRange[], excluded: IpRange[]): string | undefined {
  const isWithin = ({ address, mask }: IpRange) =>
    address.length === ip.length &&
    ip.every((byte, at) => (byte & (mask[at] ?? 0)) === ((address[at] ?? 0) & (mask[at] ?? 0)));
  const range = excluded.find(isWithin);
  return verdict(
    textOfAddress(ip),
    permitted.length === 0 || permitted.some(isWithin),
    range && `${textOfAddress(range.address)}/${prefixOf(range.mask)}`,
  );
}

function forbiddenEmail(name: string, permitted: string[], excluded: string[]): string | undefined {
  const mailbox = mailboxOf(name);
  if (mailbox === undefined) return `${name} is not a mailbox`;
  const isMailbox = (constraint: string) => {
    const exact = constraint.includes('@') ? mailboxOf(constraint) : undefined;
    return exact?.local === mailbox.local && lower(exact.domain) === lower(mailbox.domain);
  };
  const isDomainOnly = (constraint: string) => !constraint.includes('@');
  return verdict(
    name,
    permitted.length === 0 ||
      permitted.some(isMailbox) ||
      permitted.filter(isDomainOnly).some((constraint) => isHost(mailbox.domain, constraint)),
    excluded.find((c) => isMailbox(c) || (isDomainOnly(c) && isBelow(mailbox.domain, c))),
  );
}

function forbiddenUri({ text, host }: Uri, permitted: string[], excluded: string[]): string | undefined {
  if (permitted.length + excluded.length === 0) return undefined;
  // RFC 5280 4.2.1.10: a URI without a host name cannot be compared.
  if (host === '' || host.startsWith('[') || /^\d+(\.\d+){3}$/.test(host)) return `${text} names no host`;
  return verdict(
    text,
    permitted.length === 0 || permitted.some((constraint) => isHost(host, constraint)),
    excluded.find((constraint) => isBelow(host, constraint)),
  );
}

function verdict(name: string, isPermitted: boolean, exclusion: string | undefined): string | undefined {
  if (exclusion !== undefined) return `${name} is excluded by "${exclusion}"`;
  return isPermitted ? undefined : `${name} is not among the permitted names`;
}

/**
 * Matches the domain and its subdomains or, with a leading period, only the subdomains. An empty constraint matches
 * everything.
 */
function isBelow(name: string, constraint: string): boolean {
  const [text, suffix] = [lower(name), lower(constraint)];
  if (suffix === '') return true;
  return suffix.startsWith('.')
    ? text.endsWith(suffix) && text !== suffix
    : text === suffix || text.endsWith(`.${suffix}`);
}

/** For URIs and mailboxes: without a leading period, only the host itself. */
const isHost = (name: string, constraint: string): boolean =>
  constraint === '' || constraint.startsWith('.') ? isBelow(name, constraint) : lower(name) === lower(constraint);

const parentOf = (constraint: string): string => lower(constraint).replace(/^\.?[^.]*\.?/, '');
const lower = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
const prefixOf = (mask: Buffer): number =>
  [...mask].reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0);
