/**
 * TLS connections on which no byte of a request leaves before the server's certificates are verified as Go would verify
 * them.
 */
import { constants } from 'node:crypto';
import { TLSSocket } from 'node:tls';
import type { buildConnector } from 'undici';
import connectorOf from 'undici/lib/core/connect.js';
import { chainRefusal } from '../pki/chain.ts';
import { TrustAnchors } from '../pki/trust-anchors.ts';
import { certificateError } from './tls-errors.ts';

type Connector = buildConnector.connector;

const CONNECT_TIMEOUT_MS = 5_000;
/** More are counted as too many without being read. */
const PRESENTED_MAX = 101;

export interface TrustedServer {
  /** `https://host:port`: the host that the certificates must be for, and the name in errors. */
  server: string;
  /** PEM texts. An empty list trusts no server. */
  ca: readonly string[];
  now: () => Date;
  /** Who asks, where it is by a certificate. */
  client?: { cert: string; key: string } | undefined;
}

/** Connects to one server. An error of trust ends the connection, and is what the request ends with. */
export function trustedConnector(trusted: TrustedServer): Connector {
  return verifying(connectorOf(tlsOptions(trusted)), trusted);
}

/** As `trustedConnector`, and verifies nothing: for the one question that is asked before anything is known. */
export const unverifiedConnector = (server: string): Connector =>
  connectorOf(tlsOptions({ server, ca: [], now: () => new Date() }));

/** Verifies what another connector connects to. Its own TLS settings must be those of `tlsOptions`. */
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
 * OpenSSL verifies nothing here: it would refuse CAs that Go takes (an intermediate without its root), and take
 * certificates that Go refuses (a common name). Without sessions each handshake shows its certificates, and none is
 * renegotiated afterwards.
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

/** RFC 6066 3: addresses are not sent, and no period at the end. */
function serverName(server: string): { servername?: string } {
  const host = hostOf(server).replace(/\.$/, '');
  return /^[\d.]+$|:/.test(host) ? {} : { servername: host };
}

const hostOf = (server: string): string => new URL(server).hostname.replace(/^\[|\]$/g, '');

function refusalOf(socket: TLSSocket, { server, now }: TrustedServer, anchors: TrustAnchors) {
  if (socket.isSessionReused())
    return { fault: 'unreadable', what: 'it resumed a session without presenting a certificate' } as const;
  const presented: Buffer[] = [];
  let next = socket.getPeerX509Certificate();
  for (; next !== undefined && presented.length < PRESENTED_MAX; next = next.issuerCertificate)
    presented.push(next.raw);
  return chainRefusal({ presented, anchors, host: hostOf(server), now: now() });
}

/** Plain HTTP has no certificates; everything else without TLS is a mistake of ours, and not to be trusted. */
const notTls = (protocol: string) =>
  protocol === 'http:' ? undefined : ({ fault: 'unreadable', what: 'the connection is not encrypted' } as const);
