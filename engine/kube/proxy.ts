/** Which proxy stands before an https address. Source: Go's golang.org/x/net/http/httpproxy, by which kubeadm goes. */
import { BlockList, isIP } from 'node:net';

/** HTTPS_PROXY, unless NO_PROXY names the host or it is this machine. Throws a TypeError where the variable is no URL. */
export function proxyFor({ hostname, port }: URL, environment: NodeJS.ProcessEnv = process.env): URL | undefined {
  const proxy = environment.HTTPS_PROXY || environment.https_proxy;
  const host = hostname.toLowerCase().replace(/^\[|\]$/g, '');
  if (!proxy || host === 'localhost' || isIn(host, '127.0.0.0/8') || isIn(host, '::1/128')) return undefined;
  const exceptions = (environment.NO_PROXY || environment.no_proxy || '').split(',');
  const isException = exceptions.some((entry) => covers(entry.trim().toLowerCase(), host, port || '443'));
  return isException ? undefined : new URL(proxy.includes('://') ? proxy : `http://${proxy}`);
}

/** `*`, an address or a range of them, a domain with all below it, or (behind a dot) only what is below it; a port may follow. */
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
