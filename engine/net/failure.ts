/** Converts failed connections to errors with a hint. */
import { fail, isJoinError } from '../sdk/errors.ts';
import { clean } from '../sdk/text.ts';
import { proxyText } from './proxy-rule.ts';
import { handshakeError } from './tls-errors.ts';

/** undici notices an abort only after it is connected, which may take longer than the caller can wait. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
  });
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** Converts the failure of a connection to an error of the catalogue. Other errors stay as they are. */
export function connectionError(error: unknown, server: string, signal: AbortSignal): unknown {
  if (isJoinError(error)) return error;
  if (signal.aborted) return signal.reason;
  const { name, code, message } = error as NodeJS.ErrnoException;
  if (name === 'HTTPParserError' || code === 'UND_ERR_HEADERS_OVERFLOW')
    return fail('E_API_ANSWER', { server, what: `it is not valid HTTP (${clean(message)})` }, error);
  if (code === undefined || code === 'UND_ERR_INVALID_ARG') return error; // a bug, not a network failure
  const ofTls = handshakeError(error, server);
  if (ofTls !== undefined) return ofTls;
  const proxy = proxyText(server);
  const through = proxy === undefined ? '' : ` (through the proxy ${proxy} of HTTPS_PROXY)`;
  return fail('E_API_UNREACHABLE', { server, what: `${whatFailed(code, clean(message))}${through}` }, error);
}

/** A proxy that opens no tunnel has refused the connection. */
function whatFailed(code: string, message: string): string {
  const [, status] = /^Proxy response \((\d+)\)/.exec(message) ?? [];
  return status === undefined ? message || code : `the proxy refused the connection with HTTP ${status}`;
}
