/** Failed connections, as errors that say what to do about them. */
import { fail, isJoinError } from '../sdk/errors.ts';
import { clean } from '../sdk/text.ts';

/** undici notices an abort only once it is connected, which may take longer than the caller can wait. */
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

const UNTRUSTED = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'CERT_REJECTED',
  'INVALID_CA',
  'INVALID_PURPOSE',
]);

/** The failure of a connection as an error of the catalogue. Errors that are not about the network stay as they are. */
export function connectionError(error: unknown, server: string, signal: AbortSignal): unknown {
  if (isJoinError(error)) return error;
  if (signal.aborted) return signal.reason;
  const { name, code, message, cert } = error as NodeJS.ErrnoException & { cert?: { subjectaltname?: string } };
  if (name === 'HTTPParserError' || code === 'UND_ERR_HEADERS_OVERFLOW')
    return fail('E_API_ANSWER', { server, what: `not HTTP as it should be (${clean(message)})` }, error);
  if (code === undefined || code === 'UND_ERR_INVALID_ARG') return error; // not a failure of the network, but a bug
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return fail('E_API_CERTIFICATE_NAME', { server, names: clean(cert?.subjectaltname ?? 'others') }, error);
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID')
    return fail('E_API_CERTIFICATE_TIME', { server, what: clean(message) }, error);
  if (UNTRUSTED.has(code)) return fail('E_API_CERTIFICATE_UNTRUSTED', { server, what: clean(message) }, error);
  if (code.startsWith('ERR_SSL_') || code === 'EPROTO')
    return fail('E_API_ANSWER', { server, what: `not TLS (${code})` }, error);
  return fail('E_API_UNREACHABLE', { server, what: clean(message || code) }, error);
}
