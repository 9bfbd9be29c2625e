/** Which proxy a program in Go would use for an HTTPS request. Source: the package golang.org/x/net/http/httpproxy. */

/** Host and port of the proxy for `host`, a name or an address without brackets; undefined where it is asked directly. `variables` are `NAME=value`. */
export function proxyFor(host: string, variables: readonly string[]): string | undefined {
  const variable = (name: string) =>
    [name, name.toLowerCase()]
      .map((wanted) => variables.find((text) => text.startsWith(`${wanted}=`))?.slice(wanted.length + 1))
      .find(Boolean);
  const proxy = variable('HTTPS_PROXY');
  if (proxy === undefined || isExempt(host, variable('NO_PROXY') ?? '')) return undefined;
  const url = proxy.includes('://') ? proxy : `http://${proxy}`;
  return URL.canParse(url) ? new URL(url).host : 'no URL'; // its password is nobody's business
}

function isExempt(host: string, noProxy: string): boolean {
  if (host === 'localhost' || host === '::1' || /^127\.[\d.]+$/.test(host)) return true;
  return noProxy
    .toLowerCase()
    .split(',')
    .map((entry) => entry.trim())
    .some((entry) => entry !== '' && covers(entry, host));
}

/** `*`, a network, an address, a domain with what is below it, or with a dot in front only that; ports are no matter. */
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

/** An address as 32 or 128 digits; a name as none. */
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
