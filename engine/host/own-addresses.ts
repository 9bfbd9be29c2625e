/** The addresses of this machine. */
import { BlockList, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Whether the host of a URL is an address of this machine. Of names, only localhost is: DNS decides the others. */
export function isOwnAddress(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (host === 'localhost') return true;
  const family = isIP(host);
  if (family === 0) return false;
  if (loopback.check(host, family === 4 ? 'ipv4' : 'ipv6')) return true;
  const own = new BlockList();
  for (const { address, family: of } of Object.values(networkInterfaces()).flatMap((each) => each ?? []))
    own.addAddress(address, of === 'IPv4' ? 'ipv4' : 'ipv6');
  return own.check(host, family === 4 ? 'ipv4' : 'ipv6');
}
