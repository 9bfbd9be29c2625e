/** What TLS ends with, as errors that say what to do. None of them is "unreachable", and none is tried again. */
import type { ChainRefusal } from '../pki/chain.ts';
import { fail, type JoinError } from '../sdk/errors.ts';
import { clean } from '../sdk/text.ts';

/** A certificate that was refused. */
export function certificateError(server: string, { fault, what, names = [] }: ChainRefusal): JoinError {
  const facts = { server, what: clean(what) };
  if (fault === 'host-mismatch') return fail('E_API_CERTIFICATE_NAME', { ...facts, names: clean(names.join(', ')) });
  if (fault === 'expired' || fault === 'not-yet-valid') return fail('E_API_CERTIFICATE_TIME', facts);
  return fail('E_API_CERTIFICATE_UNTRUSTED', { ...facts, fault });
}

/** Codes of Node's TLS, and of OpenSSL's verification, which are all but its own words: `CERT_…`, `UNABLE_TO_…`. */
const TLS = /^ERR_(SSL|TLS|OSSL)_|^EPROTO$|^(?!E[A-Z0-9]|UND_ERR_|HPE_|ABORT_ERR)[A-Z]+(_[A-Z]+)*$/;
/** Errors after an answer that is not TLS at all, from a plain web server or another service. */
const NOT_TLS = new Set([
  'EPROTO',
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
  'ERR_SSL_RECORD_LAYER_FAILURE',
  'ERR_SSL_UNEXPECTED_MESSAGE',
  'ERR_SSL_BAD_RECORD_TYPE',
  'ERR_SSL_INVALID_RECORD_TYPE',
  'ERR_SSL_UNSUPPORTED_RECORD_TYPE',
]);

/** The error of a handshake that failed; undefined for what is not about TLS. */
export function handshakeError(error: unknown, server: string): JoinError | undefined {
  const { code, message } = error as NodeJS.ErrnoException;
  if (typeof code !== 'string' || !TLS.test(code)) return undefined;
  if (NOT_TLS.has(code)) return fail('E_API_ANSWER', { server, what: `not TLS (${code})` }, error);
  return fail('E_TLS_HANDSHAKE', { server, what: reasonOf(code, clean(message)) }, error);
}

/** OpenSSL puts files and lines of its own around the reason. */
function reasonOf(code: string, message: string): string {
  const [, alert] = /^ERR_SSL_(?:TLSV1|TLSV13|SSLV3|TLS)_ALERT_(\w+)$/.exec(code) ?? [];
  if (alert !== undefined) return `the server sent the alert "${alert.toLowerCase().replaceAll('_', ' ')}"`;
  const [, reason] = /SSL routines:[^:]*:([^:]+)/.exec(message) ?? [];
  return `${reason ?? message} (${code})`;
}
