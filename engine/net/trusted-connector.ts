/** TLS connections that send no byte of a request before the server's certificates are verified by Go's rules. */
import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { buildConnector } from 'undici';
import connectorOf from 'undici/lib/core/connect.js';
import { chainRefusal } from '../pki/chain.ts';
import { readableIn, TrustAnchors } from '../pki/trust-anchors.ts';
import { certificateError } from './tls-errors.ts';

type Connector = buildConnector.connector;

const CONNECT_TIMEOUT_MS = 5_000;
/** Further certificates are counted, but not read. */
const PRESENTED_MAX = 101;

export interface TrustedServer {
  /** `https://host:port`: the host in the certificates, and the name in errors. */
  server: string;
  /** PEM texts. With an empty list, no server is trusted. */
  ca: readonly string[];
  /** A PEM text: certificates that count as if the server had presented them. */
  intermediates?: string | undefined;
  now: () => Date;
  /** The client certificate and its key, if there is one. */
  client?: { cert: string; key: string } | undefined;
}

/** Connects to one server. An error of trust closes the connection, and the request fails with it. */
export function trustedConnector(trusted: TrustedServer): Connector {
  return verifying(explaining(connectorOf(tlsOptions(trusted))), trusted);
}

/** Like `trustedConnector`, but verifies nothing: for the one request before the CA is known. */
export const unverifiedConnector = (server: string): Connector =>
  explaining(connectorOf(tlsOptions({ server, ca: [], now: () => new Date() })));

/** Notes in the error of a timeout whether the server had accepted the connection. */
function explaining(connect: Connector): Connector {
  return (options, callback) => {
    let wasAccepted = false;
    const socket = connect(options, (...result) => {
      const [error] = result;
      if (error !== null && 'code' in error && error.code === 'UND_ERR_CONNECT_TIMEOUT')
        Object.assign(error, { wasAccepted });
      callback(...result);
    }) as unknown as Socket; // undici's types do not say that it returns the socket
    socket.once('connect', () => {
      wasAccepted = true;
    });
    return socket;
  };
}

/** Verifies the server of another connector, whose TLS settings must be those of `tlsOptions`. */
export function verifying(connect: Connector, trusted: TrustedServer): Connector {
  let anchors: TrustAnchors | undefined;
  return (options, callback) =>
    connect(options, (...result) => {
      const [error, socket] = result;
      if (error !== null || socket === null) return callback(...result);
      anchors ??= anchorsOf(trusted.ca);
      const refusal = socket instanceof TLSSocket ? refusalOf(socket, trusted, anchors) : notTls(options.protocol);
      if (refusal === undefined) return callback(null, socket);
      socket.destroy();
      return callback(certificateError(trusted.server, refusal), null);
    });
}

/** A machine trusts more than a hundred roots, and each download asks for the same ones. */
const ANCHORS_KEPT = 8;
const keptAnchors = new Map<string, TrustAnchors>();

function anchorsOf(ca: readonly string[]): TrustAnchors {
  const texts = ca.join('\n');
  const kept = keptAnchors.get(texts);
  if (kept !== undefined) return kept;
  const anchors = new TrustAnchors(ca);
  if (keptAnchors.size === ANCHORS_KEPT) keptAnchors.clear();
  keptAnchors.set(texts, anchors);
  return anchors;
}

/**
 * OpenSSL verifies nothing here: it would refuse CAs that Go accepts (an intermediate without its root), and accept
 * certificates that Go refuses (a common name). Without sessions, each handshake presents the certificates, and no
 * renegotiation follows.
 */
export const tlsOptions = ({ server, client }: TrustedServer) => ({
  timeout: CONNECT_TIMEOUT_MS,
  minVersion: 'TLSv1.2' as const,
  rejectUnauthorized: false,
  ca: [],
  maxCachedSessions: 0,
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_TICKET,
  ...serverName(server),
  ...client,
});

/** RFC 6066 3: no IP addresses, and no period at the end. */
function serverName(server: string): { servername?: string } {
  const host = hostOf(server).replace(/\.$/, '');
  return /^[\d.]+$|:/.test(host) ? {} : { servername: host };
}

const hostOf = (server: string): string => new URL(server).hostname.replace(/^\[|\]$/g, '');

function refusalOf(socket: TLSSocket, { server, intermediates = '', now }: TrustedServer, anchors: TrustAnchors) {
  if (socket.isSessionReused())
    return { fault: 'unreadable', what: 'it resumed a session without presenting a certificate' } as const;
  const presented: Buffer[] = [];
  let next = socket.getPeerX509Certificate();
  for (; next !== undefined && presented.length < PRESENTED_MAX; next = next.issuerCertificate)
    presented.push(next.raw);
  return chainRefusal({
    presented,
    intermediates: readableIn(intermediates),
    anchors,
    host: hostOf(server),
    now: now(),
  });
}

/** Plain HTTP has no certificates. Any other connection without TLS is a bug, and is not trusted. */
const notTls = (protocol: string) =>
  protocol === 'http:' ? undefined : ({ fault: 'unreadable', what: 'the connection is not encrypted' } as const);
