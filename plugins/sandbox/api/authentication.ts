/** Authenticates a request: by a client certificate of the cluster's CA, by a bootstrap token, or as anonymous. */
import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { type Certificate, CLIENT_AUTH, isIssuedBy, readCertificates, toPem } from '../../../engine/pki/index.ts';
import { extraGroups, parseToken, sameSecret, secretName, usableToken } from '../controllers/bootstrap-token.ts';
import type { Secret } from '../objects.ts';
import type { Store } from '../store.ts';

export interface User {
  name: string;
  groups: readonly string[];
}

const ANONYMOUS: User = { name: 'system:anonymous', groups: ['system:unauthenticated'] };

/** A client certificate, and whether the cluster's CA signed it for client authentication. */
interface PeerCertificate {
  certificate: Certificate;
  trusted: boolean;
}

export class Authenticator {
  readonly #store: Store;
  readonly #caPem: string;
  readonly #now: () => Date;
  /**
   * A cache: checking a certificate costs more than the rest of a request, and a connection never changes its
   * certificate.
   */
  readonly #peers = new WeakMap<TLSSocket, PeerCertificate | undefined>();

  constructor(store: Store, caPem: string, now: () => Date) {
    this.#store = store;
    this.#caPem = caPem;
    this.#now = now;
  }

  /** Undefined if the request has credentials and none is valid. The answer is then 401; the user is not anonymous. */
  authenticate(request: IncomingMessage): User | undefined {
    const peer = this.#peerOf(request.socket as TLSSocket);
    const { authorization } = request.headers;
    if (peer !== undefined && this.#isValid(peer))
      return authenticated(peer.certificate.commonName, peer.certificate.organizations);
    const bearer = /^bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    if (bearer !== undefined) return this.#tokenUser(bearer);
    return peer === undefined && authorization === undefined ? ANONYMOUS : undefined;
  }

  #isValid({ certificate, trusted }: PeerCertificate): boolean {
    const now = this.#now();
    return trusted && now >= certificate.notBefore && now <= certificate.notAfter;
  }

  #tokenUser(bearer: string): User | undefined {
    const token = parseToken(bearer);
    if (token === undefined) return undefined;
    const secret = this.#store.get<Secret>('secrets', secretName(token.id), 'kube-system');
    if (secret === undefined) return undefined;
    const known = usableToken(secret, 'authentication', this.#now());
    const groups = extraGroups(secret);
    if (known === undefined || groups === undefined || !sameSecret(known.secret, token.secret)) return undefined;
    return authenticated(`system:bootstrap:${token.id}`, [...new Set(['system:bootstrappers', ...groups])].sort());
  }

  #peerOf(socket: TLSSocket): PeerCertificate | undefined {
    if (!this.#peers.has(socket)) this.#peers.set(socket, this.#check(socket.getPeerX509Certificate()?.raw));
    return this.#peers.get(socket);
  }

  #check(der: Buffer | undefined): PeerCertificate | undefined {
    const [certificate] = der === undefined ? [] : readCertificates(toPem('CERTIFICATE', der));
    if (certificate === undefined) return undefined;
    const trusted = certificate.extendedKeyUsages.includes(CLIENT_AUTH) && isIssuedBy(certificate, this.#caPem);
    return { certificate, trusted };
  }
}

const authenticated = (name: string, groups: readonly string[]): User => ({
  name,
  groups: [...groups, 'system:authenticated'],
});
