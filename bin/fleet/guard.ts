/**
 * Who may use the dashboard: the browser that has opened the link. Other users of this machine can connect to the
 * port, and any web page can send the operator's browser there. Neither knows the path, and neither gets an answer.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

const COOKIE = 'joinery';

export class Guard {
  /** The first part of each path. A cookie is sent to each port of a host, but only below its own path. */
  readonly id = randomBytes(16).toString('base64url');
  readonly #host: string;
  #secret: string | undefined;
  #session: string | undefined;

  /** `host` is address and port. A name that an attacker points to this address is another host. */
  constructor(host: string) {
    this.#host = host;
  }

  /** The address of the page with a secret that is valid once. It replaces an earlier link. */
  link(): string {
    this.#secret = randomBytes(32).toString('base64url');
    // A browser does not send the part after # to a server, and so not to one that listens here later.
    return `http://${this.#host}/${this.id}/#${this.#secret}`;
  }

  /** The cookie of a new session in exchange for the secret; undefined if the secret is wrong or was used. */
  open(secret: string): string | undefined {
    if (!isSame(this.#secret, secret)) return undefined;
    this.#secret = undefined;
    this.#session = randomBytes(32).toString('base64url');
    return `${COOKIE}=${this.#session}; Path=/${this.id}/; HttpOnly; SameSite=Strict`;
  }

  isFor({ headers }: IncomingMessage): boolean {
    return headers.host === this.#host;
  }

  /** Whether the page itself asks. Browsers set both fields, and no script can change them. */
  isFromPage({ method, headers }: IncomingMessage): boolean {
    const site = headers['sec-fetch-site'];
    if (site !== undefined && site !== 'same-origin') return false;
    return method === 'GET' ? true : headers.origin === `http://${this.#host}`;
  }

  hasSession({ headers }: IncomingMessage): boolean {
    const cookies = (headers.cookie ?? '').split('; ');
    const values = cookies.flatMap((cookie) =>
      cookie.startsWith(`${COOKIE}=`) ? [cookie.slice(COOKIE.length + 1)] : [],
    );
    return values.some((value) => isSame(this.#session, value));
  }
}

/** Takes the same time for each wrong text. */
function isSame(expected: string | undefined, text: string): boolean {
  const digestOf = (each: string) => createHash('sha256').update(each).digest();
  return expected !== undefined && timingSafeEqual(digestOf(expected), digestOf(text));
}
