/**
 * Which proxy a connection takes. Source: golang.org/x/net/http/httpproxy, which kubeadm, kubectl and the kubelet use.
 */
import { BlockList, isIP } from 'node:net';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * HTTPS_PROXY for an https address, unless NO_PROXY or this machine itself is addressed. Throws a TypeError if it is no
 * address.
 */
export function proxyFor({ protocol, hostname, port }: URL, environment: Environment = process.env): URL | undefined {
  const proxy = environment.HTTPS_PROXY || environment.https_proxy;
  const host = hostname.toLowerCase().replace(/^\[|\]$/g, '');
  if (!proxy || protocol !== 'https:' || host === 'localhost' || isIn(host, '127.0.0.0/8') || isIn(host, '::1/128'))
    return undefined;
  const exceptions = (environment.NO_PROXY || environment.no_proxy || '').split(',');
  const isException = exceptions.some((entry) => covers(entry.trim().toLowerCase(), host, port || '443'));
  return isException ? undefined : new URL(proxy.includes('://') ? proxy : `http://${proxy}`);
}

/** Host and port of the proxy, without a password. */
export function proxyText(url: string, environment: Environment = process.env): string | undefined {
  try {
    return proxyFor(new URL(url), environment)?.host;
  } catch {
    return 'not an address';
  }
}

/** Variables that name a proxy, sorted by name. Source: kubeadm, util/env.go. */
export const proxyVariables = (environment: Environment = process.env): { name: string; value: string }[] =>
  Object.entries(environment)
    .flatMap(([name, value]) => (/_proxy$/i.test(name) && value ? [{ name, value }] : []))
    .sort((one, other) => (one.name < other.name ? -1 : 1));

/**
 * An entry is `*`, an address, a range, a domain with its subdomains, or after a dot the subdomains only. A port may
 * follow all of them except a range.
 */
function covers(entry: string, host: string, port: string): boolean {
  if (entry === '') return false;
  if (entry === '*') return true;
  if (entry.includes('/')) return isIn(host, entry);
  const [, name = entry, ofPort] = /^(.*?)(?::(\d+))?$/.exec(isIP(entry) === 6 ? `[${entry}]` : entry) ?? [];
  if (name === '' || (ofPort !== undefined && ofPort !== port)) return false;
  const bare = name.replace(/^\[|\]$/g, '').replace(/^\*(?=\.)/, '');
  if (isIP(bare) !== 0) return isIn(host, `${bare}/${isIP(bare) === 4 ? 32 : 128}`);
  if (isIP(host) !== 0) return false;
  return bare.startsWith('.') ? host.endsWith(bare) : host === bare || host.endsWith(`.${bare}`);
}

function isIn(host: string, range: string): boolean {
  const [network = '', bits = ''] = range.split('/');
  const [family, ofHost] = [isIP(network), isIP(host)];
  if (family === 0 || ofHost !== family || !/^\d{1,3}$/.test(bits) || Number(bits) > (family === 4 ? 32 : 128))
    return false;
  const list = new BlockList();
  list.addSubnet(network, Number(bits), family === 4 ? 'ipv4' : 'ipv6');
  return list.check(host, family === 4 ? 'ipv4' : 'ipv6');
}
