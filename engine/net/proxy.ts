/**
 * Connections to the web, direct or through this machine's proxy. Source: golang.org/x/net/http/httpproxy, which
 * kubeadm uses.
 */
import { BlockList, isIP } from 'node:net';
import type { buildConnector, Dispatcher, Pool } from 'undici';
import connect from 'undici/lib/api/api-connect.js';
import PoolOf from 'undici/lib/dispatcher/pool.js';
import ProxyAgentOf from 'undici/lib/dispatcher/proxy-agent.js';
import { type TrustedServer, tlsOptions, trustedConnector, verifying } from './trusted-connector.ts';

/**
 * Connections to one origin; destroy them when done. `ca` are PEM texts; an empty list trusts no server. `refuse`
 * creates the error for a proxy that cannot be used. The server and an https proxy are verified before they get a byte.
 */
export function dispatcherTo(url: URL, ca: string[], refuse: (what: string) => Error): Dispatcher {
  const trusted = (server: string): TrustedServer => ({ server, ca, now: () => new Date() });
  const proxy = proxyOf(url, refuse);
  const server = trusted(url.origin);
  if (proxy === undefined) return new PoolOf(url.origin, { connections: 1, connect: trustedConnector(server) });
  const between = trusted(proxy.origin);
  return new ProxyAgentOf({
    uri: proxy.href,
    requestTls: tlsOptions(server),
    proxyTls: tlsOptions(between),
    factory: (origin, options) => new PoolOf(origin, verifiedPool(options, server)),
    // undici adds this function itself only if it is loaded as a whole.
    clientFactory: (origin, options) => Object.assign(new PoolOf(origin, verifiedPool(options, between)), { connect }),
  });
}

/** The proxy agent's own way to connect, and the verification after it. */
function verifiedPool(options: object, server: TrustedServer): Pool.Options {
  const { connect: own } = options as { connect?: unknown };
  if (typeof own !== 'function') throw new TypeError('the proxy agent connects by no function');
  return { ...options, connections: 1, connect: verifying(own as buildConnector.connector, server) };
}

function proxyOf(url: URL, refuse: (what: string) => Error): URL | undefined {
  let proxy: URL | undefined;
  try {
    proxy = proxyFor(url);
  } catch {
    throw refuse('HTTPS_PROXY holds no address');
  }
  if (proxy !== undefined && !['http:', 'https:'].includes(proxy.protocol))
    throw refuse(`HTTPS_PROXY names a proxy by ${proxy.protocol}//, and only http:// and https:// are known here`);
  return proxy;
}

/**
 * HTTPS_PROXY for an https address, unless NO_PROXY or this machine itself is addressed. Throws a TypeError for an
 * invalid URL.
 */
export function proxyFor(
  { protocol, hostname, port }: URL,
  environment: NodeJS.ProcessEnv = process.env,
): URL | undefined {
  const proxy = environment.HTTPS_PROXY || environment.https_proxy;
  const host = hostname.toLowerCase().replace(/^\[|\]$/g, '');
  if (!proxy || protocol !== 'https:' || host === 'localhost' || isIn(host, '127.0.0.0/8') || isIn(host, '::1/128'))
    return undefined;
  const exceptions = (environment.NO_PROXY || environment.no_proxy || '').split(',');
  const isException = exceptions.some((entry) => covers(entry.trim().toLowerCase(), host, port || '443'));
  return isException ? undefined : new URL(proxy.includes('://') ? proxy : `http://${proxy}`);
}

/**
 * An entry is `*`, an address, a range, a domain with its subdomains, or after a dot the subdomains only; a port may
 * follow.
 */
function covers(entry: string, host: string, port: string): boolean {
  if (entry === '') return false;
  if (entry === '*') return true;
  if (entry.includes('/')) return isIn(host, entry);
  const [, name = entry, ofPort] = /^(.*?)(?::(\d+))?$/.exec(isIP(entry) === 6 ? `[${entry}]` : entry) ?? [];
  if (ofPort !== undefined && ofPort !== port) return false;
  const bare = name.replace(/^\[|\]$/g, '').replace(/^\*(?=\.)/, '');
  if (isIP(bare) !== 0) return isIn(host, `${bare}/${isIP(bare) === 4 ? 32 : 128}`);
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
