/** Addresses of HTTP calls: which ones are allowed, and how they are printed. */
import type { HttpCall } from '../sdk/ports.ts';

/** RFC 9110 9.2.1: the call only reads. */
export const isSafe = ({ method }: Pick<HttpCall, 'method'>): boolean => method === 'GET' || method === 'HEAD';
/** RFC 9110 9.2.2: a repeated call has the same effect as one. */
export const isIdempotent = ({ method }: Pick<HttpCall, 'method'>): boolean => method !== 'POST' && method !== 'PATCH';

/** The address without its query, which may hold credentials. */
export function urlWithoutQuery(url: string): string {
  if (!URL.canParse(url)) return 'not an address';
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}
export const originOf = (url: string): string => (URL.canParse(url) ? new URL(url).origin : 'not an address');

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** The reason why an address is refused; undefined for https, and for http to this machine, without a password. */
export function whyRefused(url: string): string | undefined {
  if (!URL.canParse(url)) return 'it is not an address';
  const { protocol, hostname, username, password } = new URL(url);
  if (username !== '' || password !== '') return 'a password in an address is visible to every user of the machine';
  if (protocol === 'https:' || (protocol === 'http:' && LOOPBACK.test(hostname))) return undefined;
  return protocol === 'http:'
    ? 'http is only allowed to this machine itself: use https'
    : 'it is neither https nor http';
}
