/** Converts TLS failures to errors with a hint. None of them is "unreachable", and none is retried. */
import type { ChainRefusal } from '../pki/chain.ts';
import { fail, type JoinError } from '../sdk/errors.ts';
import { clean } from '../sdk/text.ts';
import { ALERTS, TLS_REASONS } from './reasons.ts';

/** The certificate that was refused. */
export function certificateError(server: string, { fault, what, names = [] }: ChainRefusal): JoinError {
  const facts = { server, what: clean(what) };
  if (fault === 'host-mismatch') return fail('E_API_CERTIFICATE_NAME', { ...facts, names: clean(names.join(', ')) });
  if (fault === 'expired' || fault === 'not-yet-valid') return fail('E_API_CERTIFICATE_TIME', facts);
  return fail('E_API_CERTIFICATE_UNTRUSTED', { ...facts, fault });
}

/**
 * Error codes of Node's TLS, and of OpenSSL's verification, such as `CERT_…` and `UNABLE_TO_…`. These have no common
 * prefix: the pattern excludes the codes of the system, of undici and of the HTTP parser instead.
 */
const TLS = /^ERR_(SSL|TLS|OSSL)_|^EPROTO$|^(?!E[A-Z0-9]|UND_ERR_|HPE_|ABORT_ERR)[A-Z]+(_[A-Z]+)*$/;
/** Errors after an answer that is not TLS, for example from a plain web server. */
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

/** The error for a failed handshake; undefined for other failures. */
export function handshakeError(error: unknown, server: string): JoinError | undefined {
  const { code } = error as NodeJS.ErrnoException;
  if (typeof code !== 'string' || !TLS.test(code)) return undefined;
  if (NOT_TLS.has(code)) return fail('E_API_ANSWER', { server, what: `not TLS (${code})` }, error);
  return fail('E_API_TLS_HANDSHAKE', { server, what: `${reasonOf(code)} (${code})` }, error);
}

function reasonOf(code: string): string {
  const [, alert = ''] = /^ERR_SSL_(?:TLSV1|TLSV13|SSLV3|TLS)_(?:ALERT_)?(\w+)$/.exec(code) ?? [];
  if (Object.hasOwn(ALERTS, alert))
    return `the server sent the alert "${alert.toLowerCase().replaceAll('_', ' ')}": ${ALERTS[alert]}`;
  const reason = code.replace(/^ERR_SSL_/, '');
  if (Object.hasOwn(TLS_REASONS, reason)) return TLS_REASONS[reason] ?? '';
  return code.startsWith('ERR_OSSL_')
    ? 'OpenSSL cannot use the key or certificate of this client'
    : 'OpenSSL refused it';
}
