/** Faults on demand: what networks, proxies and overloaded servers do to a client, as one table of effects. */
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from './api.ts';
import { resourceNamed } from './resources.ts';
import { sendText, serialize } from './respond.ts';
import { expired, forbidden, internalError, tooManyRequests, unauthorized, unavailable } from './status.ts';

export type Effect =
  | 'latency'
  | 'reset'
  | 'truncated'
  | 'notJson'
  | 'huge'
  | 'forged'
  | Refusal
  | 'watchEnds'
  | 'watchExpired';

/** The request is answered with a Status and nothing is done. */
type Refusal = 'tooManyRequests' | 'internalError' | 'unavailable' | 'unauthorized' | 'forbidden' | 'gone';

export interface Fault {
  effect: Effect;
  /** Left out: any method. */
  method?: string;
  /** How the path begins. Left out: any path. */
  path?: string;
  /** How many requests it meets. Left out: one. */
  times?: number;
  /** How long `latency` takes. Left out: a second. */
  latencyMs?: number;
  /** What `tooManyRequests` asks for. Left out: a second. */
  retryAfterSeconds?: number;
  /** What `forged` answers. */
  body?: object;
}

export interface Behaviour {
  /** Runs ahead of the API; may throw a StatusError, or end the connection. */
  before?(response: ServerResponse, fault: Fault, signal: AbortSignal): Promise<void> | void;
  /** Sends something else than the answer, which the API has given: what was asked for is done. */
  send?(response: ServerResponse, answer: Answer, fault: Fault): void;
  /** Which requests it meets, beyond method and path. Left out: all of them. */
  meets?(request: { url: URL; anonymous: boolean }): boolean;
}

const HUGE_BYTES = 8 << 20;
const CLUSTER_INFO = '/api/v1/namespaces/kube-public/configmaps/cluster-info';
const JSON_TYPE = 'application/json';

const onWatches = ({ url }: { url: URL }): boolean => url.searchParams.get('watch') === 'true';
const refuse = (status: (fault: Fault) => Error) => (_: ServerResponse, fault: Fault) => {
  throw status(fault);
};

const effects: Record<Effect, Behaviour> = {
  latency: { before: (_, { latencyMs = 1000 }, signal) => sleep(latencyMs, undefined, { signal }) },
  reset: { before: (response) => void response.destroy() },
  tooManyRequests: { before: refuse(({ retryAfterSeconds = 1 }) => tooManyRequests(retryAfterSeconds)) },
  internalError: { before: refuse(() => internalError('the sandbox was told to fail')) },
  unavailable: { before: refuse(unavailable) },
  unauthorized: { before: refuse(unauthorized) },
  forbidden: { before: refuse(() => forbidden(resourceNamed('nodes'), '', 'the sandbox was told to refuse')) },
  gone: { before: refuse(() => expired(1, 2)), meets: onWatches },
  truncated: { send: sendHalf },
  notJson: {
    send: (response) => sendText(response, 200, 'text/html', '<html><body>Sign in to the network</body></html>\n'),
  },
  huge: { send: sendHuge },
  forged: {
    send: (response, _, { body }) => sendText(response, 200, JSON_TYPE, JSON.stringify(body)),
    meets: ({ anonymous }) => anonymous,
  },
  watchEnds: { send: (response) => sendText(response, 200, JSON_TYPE, ''), meets: onWatches },
  watchExpired: {
    send: (response) =>
      sendText(response, 200, JSON_TYPE, `${JSON.stringify({ type: 'ERROR', object: expired(1, 2).status })}\n`),
    meets: onWatches,
  },
};

export class Faults {
  #faults: (Fault & { times: number })[] = [];

  /** Meets the next requests that fit, ahead of faults added later. */
  add(fault: Fault): void {
    this.#faults.push({ times: 1, ...fault });
  }

  /** Answers anonymous readers of cluster-info with this ConfigMap: a man in the middle, before the CA is known. */
  clusterInfo(body: object, times = Number.POSITIVE_INFINITY): void {
    this.add({ effect: 'forged', path: CLUSTER_INFO, times, body });
  }

  clear(): void {
    this.#faults = [];
  }

  /** The fault that this request meets, used up by one. */
  take(request: { method: string; url: URL; anonymous: boolean }): { fault: Fault; behaviour: Behaviour } | undefined {
    const fault = this.#faults.find(
      ({ effect, method = request.method, path = '/' }) =>
        method === request.method &&
        request.url.pathname.startsWith(path) &&
        (effects[effect].meets?.(request) ?? true),
    );
    if (fault === undefined) return undefined;
    fault.times -= 1;
    if (fault.times <= 0) this.#faults.splice(this.#faults.indexOf(fault), 1);
    return { fault, behaviour: effects[fault.effect] };
  }
}

function sendHalf(response: ServerResponse, answer: Answer): void {
  const text = 'watch' in answer ? '{"type":"ADDED","object":{"kind":' : serialize(answer);
  response.writeHead(200, { 'Content-Type': JSON_TYPE, 'Content-Length': Buffer.byteLength(text) * 2 });
  response.write(text.slice(0, text.length / 2), () => response.destroy());
}

function sendHuge(response: ServerResponse): void {
  const chunk = 'x'.repeat(1 << 16);
  function* body() {
    yield '{"kind":"ConfigMap","padding":"';
    for (let sent = 0; sent < HUGE_BYTES; sent += chunk.length) yield chunk;
    yield '"}';
  }
  response.writeHead(200, { 'Content-Type': JSON_TYPE });
  // A client that has had enough hangs up; that is what it is meant to do.
  pipeline(Readable.from(body()), response).catch(() => undefined);
}
