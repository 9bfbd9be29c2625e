/** Hosts of a certificate: only its alternative names count, as in Go. Source: RFC 9525, and Go's VerifyHostname. */
import { bytesOfAddress, textOfAddress } from './general-names.ts';
import type { X509 } from './x509.ts';

/** `host` is a name, or an address without brackets. */
export function isForHost({ altNames }: X509, host: string): boolean {
  if (altNames === undefined) return false;
  const address = bytesOfAddress(host);
  if (address !== undefined) return altNames.ips.some((ip) => ip.equals(address));
  return altNames.dns.some((pattern) => matches(pattern, host));
}

/** All hosts of the certificate, in OpenSSL's notation. */
export const hostNamesOf = ({ altNames }: X509): string[] =>
  altNames === undefined
    ? []
    : [...altNames.dns.map((name) => `DNS:${name}`), ...altNames.ips.map((ip) => `IP Address:${textOfAddress(ip)}`)];

/** A wildcard is the whole first label, needs another label after it, and matches exactly one label. */
function matches(pattern: string, host: string): boolean {
  const [wanted, asked] = [lower(pattern), lower(host)];
  const name = asked.replace(/\.$/, '');
  if (!isHostName(name) || !isPattern(wanted)) return wanted === asked && !['', '.'].includes(asked);
  const [first, ...labels] = wanted.split('.');
  const [firstAsked, ...labelsAsked] = name.split('.');
  return (first === '*' || first === firstAsked) && labels.join('.') === labelsAsked.join('.');
}

const isPattern = (text: string): boolean => isHostName(text.replace(/^\*(?=\.)/, 'x'));
const isHostName = (text: string): boolean => /^[a-z0-9_][a-z0-9_-]*(\.[a-z0-9_][a-z0-9_-]*)*$/.test(text);
/** ASCII letters only: names in certificates have no others. */
const lower = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
