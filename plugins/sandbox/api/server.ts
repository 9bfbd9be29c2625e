/** The HTTPS server: each request passes authentication, faults, the API and the request log. */
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
  /** New connections get this certificate. */
  serveWith(pair: KeyPair): void;
  handle(context: ApiContext, authenticator: Authenticator, faults: Faults): void;
  close(): Promise<void>;
}

/** Port 0 is a free port. Requests wait until `handle` is called. */
export async function listen(
  { cert, key }: KeyPair,
  caPem: string,
  { host, port } = { host: '127.0.0.1', port: 0 },
): Promise<Listener> {
  // authentication.ts checks client certificates, so that an invalid one gets 401 and not a failed handshake.
  const server = createServer({ cert, key, ca: caPem, requestCert: true, rejectUnauthorized: false });
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.listen(port, host);
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
    const triggered = this.#faults.take({ method: this.#method, url: this.#url, anonymous });
    const answer = await this.#toAnswer(async () => {
      await triggered?.behaviour.before?.(this.#response, triggered.fault, signal);
      return this.#response.destroyed ? undefined : this.#answer();
    }, signal);
    this.#record(answer);
    if (answer === undefined || this.#response.destroyed) return;
    this.#response.setHeader('Date', this.#context.now().toUTCString());
    this.#response.setHeader('Cache-Control', 'no-cache, private');
    if (triggered?.behaviour.send === undefined) sendAnswer(this.#response, answer);
    else triggered.behaviour.send(this.#response, answer, triggered.fault);
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

  /** Turns errors into answers. Undefined if the client is gone. */
  async #toAnswer(work: () => Promise<Answer | undefined>, signal: AbortSignal): Promise<Answer | undefined> {
    try {
      return await work();
    } catch (error) {
      if (signal.aborted || this.#response.destroyed || this.#request.errored) return undefined;
      const { code, status } = error instanceof StatusError ? error : internalError(String(error));
      const retryAfterSeconds = status.details?.retryAfterSeconds;
      if (retryAfterSeconds !== undefined) this.#response.setHeader('Retry-After', retryAfterSeconds);
      if (!this.#request.complete) this.#response.setHeader('Connection', 'close'); // the rest of the body is not read
      return { code, body: status };
    }
  }

  #record(answer: Answer | undefined): void {
    const status = answer !== undefined && 'watch' in answer ? 200 : (answer?.code ?? 0);
    const path = this.#request.url ?? '/';
    this.#context.store.record({ method: this.#method, path, user: this.#user?.name ?? '', status });
  }
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // The loop may end early, but the request must stay open for the answer.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw tooLarge(BODY_BYTES_MAX);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
