/** Whether something on this machine listens on a port. */
import type { Files } from '../sdk/ports.ts';

/**
 * Whether something listens at the address and port of `url`, or on this port at all addresses. The tables have an
 * IPv4 address as hex of its bytes in reverse. For IPv6, any listener on the port counts.
 */
export async function isUrlTaken(files: Files, url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  if (hostname.startsWith('[')) return isPortInUse(files, Number(port || 80));
  const bytes = hostname.split('.').map((byte) => Number(byte).toString(16).toUpperCase().padStart(2, '0'));
  return isPortInUse(files, Number(port || 80), `(?:0{8}|0{32}|(?:0{16}F{4}0{4})?${bytes.toReversed().join('')})`);
}

/** Reads /proc/net/tcp instead of binding the port. The table has the port in hex, and 0A for a listener. */
export async function isPortInUse(files: Files, port: number, addresses = '[0-9A-F]+'): Promise<boolean> {
  const tables = await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map((path) => files.read(path)));
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const listens = new RegExp(`^\\s*\\d+: ${addresses}:${hex} [0-9A-F:]+ 0A `, 'm');
  return tables.some((table) => listens.test(table?.toString('latin1') ?? ''));
}
