/** Faults on demand: what networks, proxies and overloaded servers do to a client, as one table of effects. */
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from './api.ts';
import { sendAsMade, sendChanged, sendCut, sendDrip, sendEndless, sendHalf, sendHuge } from './broken-answers.ts';
import { resourceNamed } from './resources.ts';
import { sendAnswer, sendText } from './respond.ts';
import { expired, forbidden, internalError, tooManyRequests, unauthorized, unavailable } from './status.ts';

export type Effect =
  | 'latency'
  | 'reset'
  | 'truncated'
  | 'cut'
  | 'drip'
  | 'notJson'
  | 'huge'
  | 'endless'
  | 'early'
  | 'headers'
  | 'changed'
  | 'instead'
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
  /** How the path begins, or a pattern for the path with its query. Left out: any path. */
  path?: string | RegExp;
  /** How many requests that fit are spared before it. Left out: none. */
  after?: number;
  /** How many requests it meets. Left out: one. */
  times?: number;
  /** How long `latency` takes, or `drip` for each byte. Left out: a second. */
  latencyMs?: number;
  /** What `latency` waits for instead. */
  until?: Promise<unknown>;
  /** What `tooManyRequests` asks for. Left out: a second. */
  retryAfterSeconds?: number;
  /** After how many bytes on the wire, headers among them, `cut` ends the connection. Left out: none. */
  bytes?: number;
  /** What `instead` and `headers` send; undefined takes one away. */
  headers?: Record<string, string | undefined>;
  /** What `instead` answers. Left out: 200 and nothing. */
  code?: number;
  text?: string | Buffer;
  /** The connection stays open, and silent, after what `instead` has said. */
  open?: boolean;
  /** What `changed` makes of an answer, or of each object of a watch. */
  change?: (object: object) => unknown;
  /** What `forged` answers. */
  body?: object;
  /** Called as soon as a request meets it. */
  onMet?: () => void;
}

export interface Behaviour {
  /** Runs ahead of the API; may throw a StatusError, or end the connection. */
  before?(response: ServerResponse, fault: Fault, signal: AbortSignal): Promise<void> | void;
  /** Sends something else than the answer, which the API has given: what was asked for is done. */
  send?(response: ServerResponse, answer: Answer, fault: Fault): void;
  /** Which requests it meets, beyond method and path. Left out: all of them. */
  meets?(request: { url: URL; anonymous: boolean }): boolean;
}

const CLUSTER_INFO = '/api/v1/namespaces/kube-public/configmaps/cluster-info';
const JSON_TYPE = 'application/json';

const onWatches = ({ url }: { url: URL }): boolean => url.searchParams.get('watch') === 'true';
const refuse = (status: (fault: Fault) => Error) => (_: ServerResponse, fault: Fault) => {
  throw status(fault);
};

const effects: Record<Effect, Behaviour> = {
  latency: {
    async before(_, { latencyMs = 1000, until }, signal) {
      await (until ?? sleep(latencyMs, undefined, { signal }));
    },
  },
  reset: { before: (response) => void response.destroy() },
  tooManyRequests: { before: refuse(({ retryAfterSeconds = 1 }) => tooManyRequests(retryAfterSeconds)) },
  internalError: { before: refuse(() => internalError('the sandbox was told to fail')) },
  unavailable: { before: refuse(unavailable) },
  unauthorized: { before: refuse(unauthorized) },
  forbidden: { before: refuse(() => forbidden(resourceNamed('nodes'), '', 'the sandbox was told to refuse')) },
  gone: { before: refuse(() => expired(1, 2)), meets: onWatches },
  truncated: { send: sendHalf },
  cut: { send: sendCut },
  drip: { send: sendDrip },
  notJson: {
    send: (response) => sendText(response, 200, 'text/html', '<html><body>Sign in to the network</body></html>\n'),
  },
  huge: { send: sendHuge },
  endless: { send: sendEndless },
  early: {
    send(response, answer) {
      response.writeEarlyHints({ link: '</style.css>; rel=preload; as=style' });
      response.writeProcessing();
      sendAnswer(response, answer);
    },
  },
  headers: {
    send(response, answer, { headers }) {
      setHeaders(response, headers);
      sendAnswer(response, answer);
    },
  },
  changed: { send: sendChanged },
  instead: {
    send(response, _, fault) {
      setHeaders(response, fault.headers);
      sendAsMade(response, fault);
    },
  },
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
  #faults: (Fault & { times: number; after: number })[] = [];

  /** Meets the next requests that fit, ahead of faults added later. */
  add(fault: Fault): void {
    this.#faults.push({ times: 1, after: 0, ...fault });
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
        method === request.method && fits(request.url, path) && (effects[effect].meets?.(request) ?? true),
    );
    if (fault === undefined) return undefined;
    fault.after -= 1;
    if (fault.after >= 0) return undefined;
    fault.times -= 1;
    if (fault.times <= 0) this.#faults.splice(this.#faults.indexOf(fault), 1);
    fault.onMet?.();
    return { fault, behaviour: effects[fault.effect] };
  }
}

const fits = ({ pathname, search }: URL, path: string | RegExp): boolean =>
  typeof path === 'string' ? pathname.startsWith(path) : path.test(pathname + search);

function setHeaders(response: ServerResponse, headers: Fault['headers'] = {}): void {
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) response.setHeader(name, value);
    else {
      response.removeHeader(name);
      if (name === 'Date') response.sendDate = false; // or Node would put its own
    }
  }
}
