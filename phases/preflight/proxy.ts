/** Determines the proxy that a Go program would use for HTTPS. Source: the package golang.org/x/net/http/httpproxy. */

/**
 * Host and port of the proxy for `host`, a name or an address without brackets; undefined for a direct connection.
 * `variables` are `NAME=value`.
 */
export function proxyFor(host: string, variables: readonly string[]): string | undefined {
  const variable = (name: string) =>
    [name, name.toLowerCase()]
      .map((key) => variables.find((text) => text.startsWith(`${key}=`))?.slice(key.length + 1))
      .find(Boolean);
  const proxy = variable('HTTPS_PROXY');
  if (proxy === undefined || isExempt(host, variable('NO_PROXY') ?? '')) return undefined;
  const url = proxy.includes('://') ? proxy : `http://${proxy}`;
  return URL.canParse(url) ? new URL(url).host : 'not a URL'; // without user and password
}

function isExempt(host: string, noProxy: string): boolean {
  if (host === 'localhost' || host === '::1' || /^127\.[\d.]+$/.test(host)) return true;
  return noProxy
    .toLowerCase()
    .split(',')
    .map((entry) => entry.trim())
    .some((entry) => entry !== '' && covers(entry, host));
}

/**
 * An entry is `*`, a network, an address, a domain with its subdomains, or subdomains alone (with a leading dot).
 * Ports are ignored.
 */
function covers(entry: string, host: string): boolean {
  if (entry === '*') return true;
  const [network = '', length] = entry.split('/');
  if (length !== undefined) return isWithin(host, network, Number(length));
  const name = entry.replace(/^\[(.*)\](:\d+)?$/, '$1').replace(/^([^:]*):\d+$/, '$1');
  const domain = name.replace(/^\*?\./, '');
  return host.endsWith(`.${domain}`) || (domain === name && host === domain);
}

function isWithin(host: string, network: string, length: number): boolean {
  const [ours, theirs] = [bitsOf(host), bitsOf(network)];
  return ours !== '' && ours.length === theirs.length && ours.startsWith(theirs.slice(0, length));
}

const bits = (value: number, width: number): string => value.toString(2).padStart(width, '0');

/** An address as 32 or 128 binary digits; empty for a name. */
function bitsOf(address: string): string {
  if (/^(\d{1,3}\.){3}\d{1,3}$/.test(address))
    return address
      .split('.')
      .map((part) => bits(Number(part), 8))
      .join('');
  if (!/^[0-9a-f:]*:[0-9a-f:]*$/.test(address)) return '';
  const [head = [], tail = []] = address.split('::').map((half) => half.split(':').filter(Boolean));
  const zeros: string[] = Array(Math.max(0, 8 - head.length - tail.length)).fill('0');
  return [...head, ...zeros, ...tail].map((group) => bits(Number.parseInt(group, 16), 16)).join('');
}
