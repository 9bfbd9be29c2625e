/** TLS connections that send no byte of a request before the server's certificates are verified by Go's rules. */
import { constants } from 'node:crypto';
import net from 'node:net';
import tls from 'node:tls';
import type { buildConnector } from 'undici';
import { startTimer } from '../limits/timers.ts';
import { chainRefusal } from '../pki/chain.ts';
import { readableIn, TrustAnchors } from '../pki/trust-anchors.ts';
import { certificateError } from './tls-errors.ts';

/** What undici and `directConnections` call for a connection. */
export type Connector = buildConnector.connector;

const CONNECT_TIMEOUT_MS = 5_000;
const KEEP_ALIVE_MS = 60_000;
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
  /** What is spoken inside TLS (default: HTTP/1.1). */
  alpn?: 'h2';
  connectTimeoutMs?: number;
}

/** Connects to one server. An error of trust closes the connection, and the request fails with it. */
export function trustedConnector(trusted: TrustedServer): Connector {
  return verifying(connectorOf(trusted), trusted);
}

/** Like `trustedConnector`, but verifies nothing: for the one request before the CA is known. */
export const unverifiedConnector = (server: string): Connector =>
  connectorOf({ server, ca: [], now: () => new Date() });

/** Connects within the time limit, and verifies nothing. */
function connectorOf(trusted: TrustedServer): Connector {
  const { timeout, ...settings } = tlsOptions(trusted);
  return ({ protocol, hostname, port }, callback) => {
    const isTls = protocol === 'https:';
    const place = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || (isTls ? 443 : 80)) };
    let socket: net.Socket;
    try {
      socket = isTls
        ? tls.connect({ ...settings, ...place, ALPNProtocols: [trusted.alpn ?? 'http/1.1'] })
        : net.connect(place);
    } catch (error) {
      return callback(error as Error, null); // the client certificate or its key cannot be used
    }
    let wasAccepted = false;
    const late = startTimer(timeout, () => socket.destroy(connectTimeout(place, wasAccepted)));
    const fail = (error: Error) => {
      late.cancel();
      callback(error, null);
    };
    socket.setKeepAlive(true, KEEP_ALIVE_MS).setNoDelay(true);
    socket.once('error', fail).once('connect', () => {
      wasAccepted = true;
    });
    socket.once(isTls ? 'secureConnect' : 'connect', () => {
      late.cancel();
      socket.off('error', fail);
      callback(null, socket);
    });
  };
}

/** `wasAccepted`: the server accepted the connection, and did not complete the handshake. */
function connectTimeout({ host, port }: { host: string; port: number }, wasAccepted: boolean): Error {
  const facts = { code: 'ERR_CONNECT_TIMEOUT', address: host, port, wasAccepted };
  return Object.assign(new Error('the time limit has passed'), facts);
}

/** Verifies the server of another connector, whose TLS settings must be those of `tlsOptions`. */
export function verifying(connect: Connector, trusted: TrustedServer): Connector {
  let anchors: TrustAnchors | undefined;
  return (options, callback) =>
    connect(options, (...result) => {
      const [error, socket] = result;
      if (error !== null || socket === null) return callback(...result);
      anchors ??= anchorsOf(trusted.ca);
      const refusal = socket instanceof tls.TLSSocket ? refusalOf(socket, trusted, anchors) : notTls(options.protocol);
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
export const tlsOptions = ({ server, client, connectTimeoutMs = CONNECT_TIMEOUT_MS }: TrustedServer) => ({
  timeout: connectTimeoutMs,
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

function refusalOf(socket: tls.TLSSocket, { server, intermediates = '', now }: TrustedServer, anchors: TrustAnchors) {
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
