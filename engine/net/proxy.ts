/** Connections to one origin, direct or through this machine's proxy. */
import type { buildConnector, Dispatcher, Pool } from 'undici';
import connect from 'undici/lib/api/api-connect.js';
import send from 'undici/lib/api/api-request.js';
import PoolOf from 'undici/lib/dispatcher/pool.js';
import ProxyAgentOf from 'undici/lib/dispatcher/proxy-agent.js';
import type { Connections } from './connections.ts';
import { proxyFor } from './proxy-rule.ts';
import { systemRoots } from './roots.ts';
import { type TrustedServer, tlsOptions, trustedConnector, verifying } from './trusted-connector.ts';

/**
 * Connections to one origin; destroy them when done. `ca` has PEM texts; with an empty list, no server is trusted.
 * `refuse` creates the error for an unusable proxy. The server and an https proxy are verified before a byte is sent.
 */
export async function dispatcherTo(
  url: URL,
  ca: readonly string[],
  refuse: (what: string) => Error,
): Promise<Dispatcher> {
  const trusted: TrustedServer = { server: url.origin, ca, now: () => new Date() };
  const proxy = usableProxy(url, refuse);
  if (proxy === undefined) return new PoolOf(url.origin, { connections: 1, connect: trustedConnector(trusted) });
  return dispatcherThrough(proxy, { server: url.origin, trusted, connections: 1 });
}

/** The proxy for an address, if there is one. */
export function usableProxy(url: URL, refuse: (what: string) => Error): URL | undefined {
  let proxy: URL | undefined;
  try {
    proxy = proxyFor(url);
  } catch {
    throw refuse('HTTPS_PROXY is not a valid address');
  }
  if (proxy !== undefined && !['http:', 'https:'].includes(proxy.protocol))
    throw refuse(`HTTPS_PROXY has the unsupported scheme ${proxy.protocol}// (supported: http:// and https://)`);
  return proxy;
}

export interface Tunnel {
  /** `https://host:port` */
  server: string;
  /** Undefined for the one request before the CA is known. */
  trusted: TrustedServer | undefined;
  connections: number;
}

/** An https proxy is verified with the certificates that this machine trusts. */
export async function dispatcherThrough(proxy: URL, { server, trusted, connections }: Tunnel): Promise<Dispatcher> {
  const now = () => new Date();
  const roots = proxy.protocol === 'https:' ? await systemRoots() : [];
  const between: TrustedServer = { server: proxy.origin, ca: roots, now };
  return new ProxyAgentOf({
    uri: proxy.href,
    requestTls: tlsOptions(trusted ?? { server, ca: [], now }),
    proxyTls: tlsOptions(between),
    factory: (origin, options) => new PoolOf(origin, poolOptions(options, connections, trusted)),
    // undici itself adds this function only if all of undici is loaded.
    clientFactory: (origin, options) =>
      Object.assign(new PoolOf(origin, poolOptions(options, connections, between)), { connect }),
  });
}

/** The same for requests that need no proxy on other machines. */
export async function connectionsThrough(proxy: URL, tunnel: Tunnel): Promise<Connections> {
  const dispatcher = await dispatcherThrough(proxy, tunnel);
  return {
    request: ({ body = null, headersTimeoutMs, bodyTimeoutMs, ...rest }) =>
      send.call(dispatcher, {
        ...rest,
        body,
        origin: tunnel.server,
        method: rest.method as Dispatcher.HttpMethod,
        headersTimeout: headersTimeoutMs,
        bodyTimeout: bodyTimeoutMs,
      }),
    destroy: () => dispatcher.destroy(),
  };
}

/** Connects with the proxy agent's own connector, and then verifies the server. */
function poolOptions(options: object, connections: number, trusted: TrustedServer | undefined): Pool.Options {
  const { connect: own } = options as { connect?: unknown };
  if (typeof own !== 'function') throw new TypeError('the proxy agent has no connector');
  const connector = own as buildConnector.connector;
  return { ...options, connections, connect: trusted === undefined ? connector : verifying(connector, trusted) };
}
