/** Addresses of API servers. Files and requests only get addresses that were parsed here. */
import { clean } from '../sdk/text.ts';

const ADDRESS = /^https:\/\/([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?\/?$/;

/**
 * `https://host` or `https://host:port`, built from host and port. Throws an Error of one line. The URL parser of
 * JavaScript does not suffice as a check: it drops line breaks and keeps passwords.
 */
export function readServerAddress(text: string): string {
  if (text === '') throw new Error('its cluster has no server');
  const [, host, port] = ADDRESS.exec(text) ?? [];
  const isPort = port === undefined || (Number(port) >= 1 && Number(port) <= 65_535);
  if (host === undefined || !isPort || !URL.canParse(`https://${host}`))
    throw new Error(`its server ${clean(text)} is not https://host:port`);
  const { hostname } = new URL(`https://${host}`);
  return port === undefined ? `https://${hostname}` : `https://${hostname}:${Number(port)}`;
}

/** The pattern of a port: from 1 to 65535. No server can be reached at port 0. */
export const PORT = '0*([1-9]\\d{0,3}|[1-5]\\d{4}|6[0-4]\\d{3}|65[0-4]\\d{2}|655[0-2]\\d|6553[0-5])';

/** An IP address as the host of a URL: IPv6 in brackets. */
export const apiHost = (address: string): string => (address.includes(':') ? `[${address}]` : address);

/** The URL of an API server at an IP address. */
export const apiUrl = (address: string, port: number): string => `https://${apiHost(address)}:${port}`;
