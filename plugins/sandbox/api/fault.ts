/** The type of a fault: which requests it affects, and how. */
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
  | 'informational'
  | 'headers'
  | 'changed'
  | 'instead'
  | 'forged'
  | Refusal
  | 'watchEnds'
  | 'watchExpired';

/** The server answers with a Status and does not process the request. */
type Refusal = 'tooManyRequests' | 'internalError' | 'unavailable' | 'unauthorized' | 'forbidden' | 'gone';

export interface Fault {
  effect: Effect;
  /** Default: any method. */
  method?: string;
  /** Prefix of the path, or a pattern for path and query. Default: any path. */
  path?: string | RegExp;
  /** Number of matching requests that pass before the fault. Default: 0. */
  after?: number;
  /** Number of requests that the fault affects. Default: 1. */
  times?: number;
  /** Delay of `latency`, of `drip` for each byte, or of `informational` for each response. Default: 1 s. */
  latencyMs?: number;
  /** Promise that `latency` waits for, instead of a delay. */
  until?: Promise<unknown>;
  /** Retry-After of `tooManyRequests`. Default: 1. */
  retryAfterSeconds?: number;
  /** Number of bytes, including headers, after which `cut` closes the connection. Default: 0. */
  bytes?: number;
  /** Headers for `instead` and `headers`; undefined removes a header. */
  headers?: Record<string, string | undefined>;
  /** Status and body for `instead` (default: 200 and an empty body); status for `informational`. */
  code?: number;
  text?: string | Buffer;
  /** Whether the connection stays open after the response of `instead`. */
  open?: boolean;
  /** Function with which `changed` modifies an answer, or each object of a watch. */
  change?: (object: object) => unknown;
  /** Body for `forged`. */
  body?: object;
  /** Called when a request triggers the fault. */
  onTriggered?: () => void;
}

export interface Behaviour {
  /** Runs before the API; may throw a StatusError or close the connection. */
  before?(response: ServerResponse, fault: Fault, signal: AbortSignal): Promise<void> | void;
  /** Sends a different response. The API has already processed the request. */
  send?(response: ServerResponse, answer: Answer, fault: Fault): void;
  /** Condition on the request in addition to method and path. Default: any request. */
  matches?(request: { url: URL; anonymous: boolean }): boolean;
}
