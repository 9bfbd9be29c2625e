/** The HTTPS server: one request after another through authentication, faults, the API and the log. */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { KeyPair } from '../certificates.ts';
import type { Answer } from './answer.ts';
import { answer } from './api.ts';
import type { Authenticator, User } from './authentication.ts';
import type { ApiContext } from './call.ts';
import type { Faults } from './faults.ts';
import { sendAnswer } from './respond.ts';
import { internalError, StatusError, tooLarge, unauthorized } from './status.ts';

const BODY_BYTES_MAX = 1 << 20;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_MS = 60_000;

export interface Listener {
  port: number;
  /** Connections made from now on see this certificate. */
  serveWith(pair: KeyPair): void;
  handle(context: ApiContext, authenticator: Authenticator, faults: Faults): void;
  close(): Promise<void>;
}

/** Listens on a free port of 127.0.0.1; requests wait until `handle` has said who answers them. */
export async function listen({ cert, key }: KeyPair, caPem: string): Promise<Listener> {
  // Client certificates are asked for and checked in authentication.ts: a bad one is 401, not a broken handshake.
  const server = createServer({ cert, key, ca: caPem, requestCert: true, rejectUnauthorized: false });
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const closing = new AbortController();
  return {
    port: (server.address() as AddressInfo).port, // an object: it listens on TCP
    serveWith(pair) {
      server.setSecureContext({ ...pair, ca: caPem });
      server.closeIdleConnections();
    },
    handle(context, authenticator, faults) {
      server.on('request', (request, response) => {
        const exchange = new Exchange(request, response, context, faults, authenticator.authenticate(request));
        void exchange.run(closing.signal);
      });
    },
    async close() {
      closing.abort();
      await shut(server);
    },
  };
}

async function shut(server: Server): Promise<void> {
  if (!server.listening) return;
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
}

class Exchange {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #context: ApiContext;
  readonly #faults: Faults;
  readonly #user: User | undefined;
  readonly #method: string;
  readonly #url: URL;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    context: ApiContext,
    faults: Faults,
    user: User | undefined,
  ) {
    this.#request = request;
    this.#response = response;
    this.#context = context;
    this.#faults = faults;
    this.#user = user;
    this.#method = request.method ?? '';
    this.#url = new URL(`https://sandbox${request.url ?? '/'}`);
  }

  async run(signal: AbortSignal): Promise<void> {
    const anonymous = this.#user?.name === 'system:anonymous';
    const met = this.#faults.take({ method: this.#method, url: this.#url, anonymous });
    const given = await this.#settle(async () => {
      await met?.behaviour.before?.(this.#response, met.fault, signal);
      return this.#response.destroyed ? undefined : this.#answer();
    }, signal);
    this.#record(given);
    if (given === undefined || this.#response.destroyed) return;
    this.#response.setHeader('Date', this.#context.now().toUTCString());
    this.#response.setHeader('Cache-Control', 'no-cache, private');
    if (met?.behaviour.send === undefined) sendAnswer(this.#response, given);
    else met.behaviour.send(this.#response, given, met.fault);
  }

  async #answer(): Promise<Answer> {
    if (this.#user === undefined) throw unauthorized();
    const { headers } = this.#request;
    return answer(this.#context, {
      method: this.#method,
      url: this.#url,
      user: this.#user,
      contentType: headers['content-type'] ?? '',
      accept: headers.accept ?? '',
      body: await readBody(this.#request),
    });
  }

  /** Errors become answers; undefined: there is nobody left to answer. */
  async #settle(work: () => Promise<Answer | undefined>, signal: AbortSignal): Promise<Answer | undefined> {
    try {
      return await work();
    } catch (error) {
      if (signal.aborted || this.#response.destroyed || this.#request.errored) return undefined;
      const { code, status } = error instanceof StatusError ? error : internalError(String(error));
      const retryAfterSeconds = status.details?.retryAfterSeconds;
      if (retryAfterSeconds !== undefined) this.#response.setHeader('Retry-After', retryAfterSeconds);
      if (!this.#request.complete) this.#response.setHeader('Connection', 'close'); // the rest of its body is not wanted
      return { code, body: status };
    }
  }

  #record(given: Answer | undefined): void {
    const status = given === undefined ? 0 : 'watch' in given ? 200 : given.code;
    const path = this.#request.url ?? '/';
    this.#context.store.record({ method: this.#method, path, user: this.#user?.name ?? '', status });
  }
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Left early the request must stay open: it is still to be answered.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw tooLarge(BODY_BYTES_MAX);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
