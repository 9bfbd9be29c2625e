/** What a fault is: which requests it affects, and how. */
import type { ServerResponse } from 'node:http';
import type { Answer } from './answer.ts';

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
