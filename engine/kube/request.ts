/** HTTPS requests to API servers: one pool of connections for each trust and identity, with limits on time and size. */
import { stringify } from 'node:querystring';
import { StringDecoder } from 'node:string_decoder';
import { startTimer } from '../limits/timers.ts';
import { type Connections, directConnections, type HttpsAnswer } from '../net/connections.ts';
import { connectionError, unlessAborted } from '../net/failure.ts';
import { limitInformational } from '../net/informational.ts';
import { type TrustedServer, trustedConnector, unverifiedConnector } from '../net/trusted-connector.ts';
import type { ApiAnswer, ApiRequest } from '../sdk/api.ts';
import { fail } from '../sdk/errors.ts';
import type { Identity } from '../sdk/ports.ts';
import { clean } from '../sdk/text.ts';
import { requireOk } from './answer.ts';

/** The time limit until an answer begins, and again until it is complete. */
const ANSWER_TIMEOUT_MS = 10_000;
const BODY_BYTES_MAX = 4 << 20;
export const LINE_BYTES_MAX = 2 << 20;

type Caller = ApiRequest['as'];
const asIdentity = (as: Caller): Identity | undefined => (as !== 'unverified' && 'server' in as ? as : undefined);

export class Transport {
  readonly #pools = new Map<string, Promise<Connections>>();
  readonly #now: () => Date;

  constructor(now: () => Date) {
    this.#now = now;
  }

  async send(request: ApiRequest, signal: AbortSignal): Promise<ApiAnswer> {
    return this.#answer(request, await this.#open(request, ANSWER_TIMEOUT_MS, signal), signal);
  }

  /** Opens an endless answer, whose lines come as they arrive until the server ends it. Throws if it refuses. */
  async lines(request: ApiRequest, idleTimeoutMs: number, signal: AbortSignal): Promise<AsyncGenerator<string>> {
    const { server, ref } = request;
    const opened = await this.#open(request, idleTimeoutMs, signal);
    if (opened.statusCode !== 200)
      requireOk(await this.#answer(request, opened, signal), server, `watch ${ref?.resource}`);
    return linesOf(opened, server, signal);
  }

  /** Reads the whole answer, within limits of size and time. */
  async #answer({ server }: ApiRequest, opened: HttpsAnswer, signal: AbortSignal): Promise<ApiAnswer> {
    const { body, headers, statusCode } = opened;
    const what = `its answer did not end within ${ANSWER_TIMEOUT_MS / 1000} s`;
    const late = startTimer(ANSWER_TIMEOUT_MS, () => body.destroy(fail('E_API_UNREACHABLE', { server, what })));
    const chunks: Buffer[] = [];
    try {
      let bytes = 0;
      for await (const chunk of body as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > BODY_BYTES_MAX) throw fail('E_API_ANSWER', { server, what: `more than ${BODY_BYTES_MAX} bytes` });
        chunks.push(chunk);
      }
    } catch (error) {
      throw connectionError(error, server, signal);
    } finally {
      late.cancel();
    }
    if (statusCode >= 300 && statusCode < 400) {
      const where = clean(String(headers.location ?? 'nowhere'));
      throw fail('E_API_ANSWER', { server, what: `${statusCode}, a redirect to ${where}, and none is followed` });
    }
    const date = Date.parse(String(headers.date));
    return {
      status: statusCode,
      body: parseJson(Buffer.concat(chunks).toString('utf8'), server, statusCode),
      clockSkewMs: Number.isNaN(date) ? undefined : date - this.#now().getTime(),
      retryAfterMs: retryAfterMs(headers['retry-after'], this.#now()),
    };
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#pools.values()].map(async (pool) => (await pool).destroy()));
    this.#pools.clear();
  }

  async #open({ server, as, method, path, query, body }: ApiRequest, bodyTimeoutMs: number, signal: AbortSignal) {
    const token = asIdentity(as)?.token;
    const text = body === undefined ? undefined : JSON.stringify(body);
    try {
      const connections = await this.#pool(server, as);
      const opened = connections.request({
        method,
        path: Object.keys(query).length === 0 ? path : `${path}?${stringify({ ...query })}`,
        headers: {
          accept: 'application/json',
          'user-agent': 'joinery',
          ...(token === undefined ? {} : { authorization: `Bearer ${token.reveal()}` }),
          // Node sends the length of a body by itself, but not with DELETE.
          ...(text === undefined
            ? {}
            : { 'content-type': CONTENT_TYPE[method], 'content-length': `${Buffer.byteLength(text)}` }),
        },
        body: text,
        headersTimeoutMs: ANSWER_TIMEOUT_MS,
        bodyTimeoutMs,
        onInfo: limitInformational((what) => fail('E_API_ANSWER', { server, what })),
        signal,
      });
      return await unlessAborted(opened, signal);
    } catch (error) {
      throw connectionError(error, server, signal);
    }
  }

  /** One pool for each server and set of certificates. Identities that differ only in their token share connections. */
  #pool(server: string, as: Caller): Promise<Connections> {
    const certificate = asIdentity(as)?.certificate;
    const trust = as === 'unverified' ? undefined : as;
    const intermediates = trust !== undefined && 'intermediates' in trust ? trust.intermediates : undefined;
    const key = [server, trust?.ca ?? 'unverified', intermediates ?? '', certificate?.pem ?? ''].join('\n');
    let pool = this.#pools.get(key);
    if (pool === undefined) {
      const client = certificate && { cert: certificate.pem, key: certificate.key.reveal() };
      const trusted = trust && { server, ca: [trust.ca], intermediates, now: this.#now, client };
      pool = connectionsTo(server, trusted);
      this.#pools.set(key, pool);
    }
    return pool;
  }
}

async function* linesOf({ body }: HttpsAnswer, server: string, signal: AbortSignal): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8'); // two chunks may share a character
  try {
    let rest = '';
    for await (const chunk of body as AsyncIterable<Buffer>) {
      const [first = '', ...more] = decoder.write(chunk).split('\n');
      const lines = [rest + first, ...more];
      rest = lines.pop() ?? '';
      yield* lines.filter((line) => line !== '');
      if (rest.length > LINE_BYTES_MAX)
        throw fail('E_API_ANSWER', { server, what: `a line of more than ${LINE_BYTES_MAX} bytes` });
    }
  } catch (error) {
    throw connectionError(error, server, signal);
  } finally {
    body.destroy();
  }
}

/** The proxy's part is loaded only if HTTPS_PROXY is set. */
async function connectionsTo(server: string, trusted: TrustedServer | undefined): Promise<Connections> {
  if (process.env.HTTPS_PROXY || process.env.https_proxy) {
    const { connectionsThrough, usableProxy } = await import('../net/proxy.ts');
    const proxy = usableProxy(new URL(server), (what) => fail('E_PROXY', { server, what }));
    if (proxy !== undefined) return connectionsThrough(proxy, { server, trusted, connections: 4 });
  }
  return directConnections(server, trusted === undefined ? unverifiedConnector(server) : trustedConnector(trusted));
}

const CONTENT_TYPE = {
  GET: 'application/json',
  POST: 'application/json',
  PATCH: 'application/strategic-merge-patch+json',
  DELETE: 'application/json',
};

/** RFC 9110 10.2.3: seconds or a date. Anything else is ignored. */
function retryAfterMs(header: string | string[] | undefined, now: Date): number | undefined {
  const text = String(header);
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - now.getTime();
  return ms > 0 ? ms : undefined;
}

function parseJson(text: string, server: string, status: number): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const page = pageIn(text);
    if (status === 429 || status >= 500 || (status >= 400 && page === undefined))
      return { message: page ?? clean(text) };
    const refused = status >= 400 ? `HTTP ${status}, ` : '';
    throw fail('E_API_ANSWER', { server, what: `${refused}${page ?? `not JSON: "${clean(text).slice(0, 80)}"`}` });
  }
}

/** A page for people, as proxies and networks that want a login send it. */
function pageIn(text: string): string | undefined {
  if (!/^\s*(<!doctype|<html|<\?xml|<!--)/i.test(text)) return undefined;
  const title = clean(/<title[^>]*>([^<]*)/i.exec(text)?.[1] ?? text.replace(/<[^>]*>/g, ' ')).slice(0, 80);
  return `a web page ("${title}"): a proxy, or a network that wants a login, may have answered instead`;
}
