/** Converts failed connections to errors with a hint. */
import { fail, isJoinError } from '../sdk/errors.ts';
import { clean } from '../sdk/text.ts';
import { proxyText } from './proxy-rule.ts';
import { NETWORK_REASONS, SILENT_HANDSHAKE } from './reasons.ts';
import { handshakeError } from './tls-errors.ts';

/** A client notices an abort only after it is connected, which may take longer than the caller can wait. */
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
  const { name, code } = error as NodeJS.ErrnoException;
  if (code === 'UND_ERR_HEADERS_OVERFLOW' || code === 'HPE_HEADER_OVERFLOW')
    return fail('E_API_ANSWER', { server, what: 'headers that are too large' }, error);
  if (name === 'HTTPParserError' || code?.startsWith('HPE_'))
    return fail(
      'E_API_ANSWER',
      { server, what: `not HTTP/1.1 (${clean(code ?? name)}): is it another service?` },
      error,
    );
  const isBug = code === undefined || code === 'UND_ERR_INVALID_ARG' || error instanceof TypeError;
  if (isBug) return error;
  const ofTls = handshakeError(error, server);
  if (ofTls !== undefined) return ofTls;
  const proxy = proxyText(server);
  const through = proxy === undefined ? '' : ` (through the proxy ${proxy} of HTTPS_PROXY)`;
  return fail(
    'E_API_UNREACHABLE',
    { server, what: `${whatFailed(error as ConnectionFailure, code)}${through}` },
    error,
  );
}

/** What happened at an endpoint that no proxy stands before, as a clause. */
export function failureText(error: unknown, endpoint: string, connectTimeoutMs: number): string {
  if (isJoinError(error)) return clean(error.message);
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ERR_CONNECT_TIMEOUT') return `no connection within ${connectTimeoutMs / 1_000} s`;
  const ofTls = handshakeError(error, endpoint);
  if (ofTls !== undefined) return clean(ofTls.message);
  return code === undefined ? clean(message) : whatFailed(error as ConnectionFailure, code);
}

interface ConnectionFailure extends Error {
  address?: string;
  port?: number;
  hostname?: string;
  /** The server had accepted the connection when time ran out. */
  wasAccepted?: boolean;
  /** One failure for each address that was tried. */
  errors?: readonly ConnectionFailure[];
}

/** What happened, with the code and the address that was tried. A proxy that opens no tunnel refused the connection. */
function whatFailed(failure: ConnectionFailure, code: string): string {
  const [, status] = /^Proxy response \((\d+)\)/.exec(failure.message) ?? [];
  if (status !== undefined) return `the proxy refused the connection with HTTP ${status}`;
  const { address, port, hostname } = failure.errors?.[0] ?? failure;
  const place = address === undefined ? hostname : `${address.includes(':') ? `[${address}]` : address}:${port}`;
  const known = Object.hasOwn(NETWORK_REASONS, code) ? NETWORK_REASONS[code] : 'the connection failed';
  const reason = failure.wasAccepted === true ? SILENT_HANDSHAKE : known;
  return `${reason} (${[code, ...(place === undefined ? [] : [clean(place)])].join(' ')})`;
}
