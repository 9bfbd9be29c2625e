/**
 * HTTPS requests to one server by Node's own client, over connections that are kept. undici serves proxies and
 * downloads only, because it compiles its parser whenever a process sends its first request (docs/adr/0016).
 */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import type { Readable } from 'node:stream';
import { startTimer, type Timer } from '../limits/timers.ts';
import type { Connector } from './trusted-connector.ts';

export interface HttpsRequest {
  method: string;
  /** With the query. */
  path: string;
  headers: Readonly<Record<string, string>>;
  body: string | undefined;
  /** The time limit from the request to its answer. */
  headersTimeoutMs: number;
  /** The time limit between two parts of the body. */
  bodyTimeoutMs: number;
  /** Called for each informational response (1xx). What it throws ends the request. */
  onInfo: () => void;
  signal: AbortSignal;
}

export interface HttpsAnswer {
  statusCode: number;
  headers: IncomingHttpHeaders;
  body: Readable;
}

export interface Connections {
  request(request: HttpsRequest): Promise<HttpsAnswer>;
  /** Ends all requests. */
  destroy(): Promise<void>;
}

/** Less than any server keeps an idle connection. */
const IDLE_MS_MAX = 4_000;

/** `connect` decides whether the server is trusted. Nothing is sent before it has. */
export function directConnections(server: string, connect: Connector): Connections {
  const agent = new ConnectorAgent(connect);
  return {
    request: (options) => answerTo(new URL(server), agent, options),
    destroy: async () => agent.destroy(),
  };
}

class ConnectorAgent extends Agent {
  readonly #connect: Connector;

  constructor(connect: Connector) {
    super({ keepAlive: true, timeout: IDLE_MS_MAX });
    this.#connect = connect;
  }

  override createConnection(...[{ host, port }, callback]: Parameters<Agent['createConnection']>): undefined {
    this.#connect({ protocol: 'https:', hostname: host ?? '', host: host ?? '', port: String(port) }, (...result) =>
      (callback as (...result: unknown[]) => void)(...result),
    );
  }
}

function answerTo({ hostname, port }: URL, agent: Agent, options: HttpsRequest): Promise<HttpsAnswer> {
  const { body, headersTimeoutMs, bodyTimeoutMs, onInfo, ...rest } = options;
  return new Promise((resolve, reject) => {
    const host = hostname.replace(/^\[|\]$/g, '');
    const sent = request({ ...rest, host, port: port || 443, agent });
    let answer: IncomingMessage | undefined;
    let late: Timer | undefined;
    const end = (error: Error) => {
      late?.cancel();
      // Node reports an invalid part of a body to the request, and to the answer only that it was cut off.
      if (answer === undefined) reject(error);
      else answer.destroy(error);
      sent.destroy(error);
    };
    sent.once('socket', () => {
      late = startTimer(headersTimeoutMs, () => end(timeout('ERR_HEADERS_TIMEOUT')));
    });
    sent.on('information', () => {
      try {
        onInfo();
      } catch (error) {
        end(error as Error);
      }
    });
    sent.once('response', (incoming) => {
      late?.cancel();
      answer = incoming.on('error', named);
      sent.setTimeout(bodyTimeoutMs, () => end(timeout('ERR_BODY_TIMEOUT')));
      resolve({ statusCode: incoming.statusCode ?? 0, headers: incoming.headers, body: incoming });
    });
    sent.on('error', (error) => end(named(error)));
    sent.end(body);
  });
}

const timeout = (code: string): Error => Object.assign(new Error('the time limit has passed'), { code });

const CLOSED = new Set(['socket hang up', 'aborted']);
/** Node has one code for a connection that was reset, and for one that was closed in good order but too early. */
function named(error: Error): Error {
  return CLOSED.has(error.message) ? Object.assign(error, { code: 'ERR_CLOSED' }) : error;
}
