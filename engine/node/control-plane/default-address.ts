/**
 * The address at which other machines reach this one: that of the interface with the default route. Source: kubeadm and
 * apimachinery, util/net ChooseHostInterface.
 */
import { bytesOfAddress, textOfAddress } from '../../pki/index.ts';
import type { Files } from '../../sdk/ports.ts';

/** The IPv4 address of the first default route, else the IPv6 address. Undefined if the machine has neither. */
export async function defaultAddress(files: Files): Promise<string | undefined> {
  const read = async (name: string) => (await files.read(`/proc/net/${name}`))?.toString('utf8') ?? '';
  const [routes, trie] = [await read('route'), await read('fib_trie')];
  const ipv4 = addressOnRoute(routes, trie);
  return ipv4 ?? addressOnIpv6Route(await read('ipv6_route'), await read('if_inet6'));
}

interface Route {
  device: string;
  network: number;
  mask: number;
}

/** Columns: device, destination, gateway, flags, …, mask. Numbers are hexadecimal in the byte order of the machine. */
function routesOf(text: string): Route[] {
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .flatMap(([device = '', destination = '', , , , , , mask = '']) =>
      /^[0-9A-F]{8}$/.test(destination) && /^[0-9A-F]{8}$/.test(mask)
        ? [{ device, network: swapped(destination), mask: swapped(mask) }]
        : [],
    );
}

const swapped = (hex: string): number => Buffer.from(hex, 'hex').readUInt32LE();

/** The address of this machine that lies in a network of the device with the default route. */
function addressOnRoute(text: string, trie: string): string | undefined {
  const routes = routesOf(text);
  const device = routes.find(({ network, mask }) => network === 0 && mask === 0)?.device;
  if (device === undefined) return undefined;
  const networks = routes.filter((route) => route.device === device && route.mask !== 0);
  const isInNetwork = (address: string) => {
    const number = bytesOfAddress(address)?.readUInt32BE() ?? 0;
    return networks.some(({ network, mask }) => (number & mask) >>> 0 === network);
  };
  return localAddresses(trie).find((address) => isGlobal(address) && isInNetwork(address));
}

/** All addresses of this machine, in their shortest form. Empty if the kernel does not list them. */
export async function ownAddresses(files: Files): Promise<string[]> {
  const read = async (name: string) => (await files.read(`/proc/net/${name}`))?.toString('utf8') ?? '';
  const [trie, inet6] = [await read('fib_trie'), await read('if_inet6')];
  const hex = inet6.split('\n').flatMap((line) => /^[0-9a-f]{32}/.exec(line)?.[0] ?? []);
  return [...localAddresses(trie), ...hex.map((digits) => textOfAddress(Buffer.from(digits, 'hex')))];
}

/** Leaves of the kernel's routing trie that are addresses of this machine: an address, then `/32 host LOCAL`. */
function localAddresses(trie: string): string[] {
  const found = [...trie.matchAll(/\|-- (\d+\.\d+\.\d+\.\d+)\n\s+\/32 host LOCAL/g)].map(([, address = '']) => address);
  return [...new Set(found)];
}

/** Columns: destination, its prefix length, …, device at the end. */
function addressOnIpv6Route(routes: string, addresses: string): string | undefined {
  const device = routes
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .find(
      ([destination, length, , , , , , , , name]) =>
        /^0{32}$/.test(destination ?? '') && length === '00' && name !== 'lo',
    )
    ?.at(-1);
  const rows = addresses.split('\n').map((line) => line.trim().split(/\s+/));
  return rows
    .filter(([hex = '', , , , , name]) => device !== undefined && name === device && /^[0-9a-f]{32}$/.test(hex))
    .map(([hex = '']) => textOfAddress(Buffer.from(hex, 'hex')))
    .find(isGlobal);
}

/** Whether only programs of the same machine can reach the address. */
export function isLoopback(address: string): boolean {
  const bytes = bytesOfAddress(address);
  if (bytes?.length === 4) return bytes[0] === 127;
  return bytes !== undefined && textOfAddress(bytes) === '::1';
}

/** Whether other machines can reach the address: not loopback, link-local, multicast or unspecified. */
export function isGlobal(address: string): boolean {
  const bytes = bytesOfAddress(address);
  if (bytes === undefined) return false;
  if (bytes.length === 4) {
    const [first = 0, second = 0] = bytes;
    return first !== 0 && first !== 127 && first < 224 && !(first === 169 && second === 254);
  }
  const isLinkLocal = bytes[0] === 0xfe && ((bytes[1] ?? 0) & 0xc0) === 0x80;
  const isNoneOrLoopback = bytes.subarray(0, 15).every((byte) => byte === 0) && (bytes[15] ?? 0) <= 1;
  return !isLinkLocal && !isNoneOrLoopback && bytes[0] !== 0xff;
}
