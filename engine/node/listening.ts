/** Whether something on this machine listens on a port. */
import type { Files } from '../sdk/ports.ts';

/** Reads /proc/net/tcp instead of binding the port. The table has the port in hex, and 0A for a listener. */
export async function isPortInUse(files: Files, port: number): Promise<boolean> {
  const tables = await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map((path) => files.read(path)));
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const listens = new RegExp(`^\\s*\\d+: [0-9A-F]+:${hex} [0-9A-F:]+ 0A `, 'm');
  return tables.some((table) => listens.test(table?.toString('latin1') ?? ''));
}
