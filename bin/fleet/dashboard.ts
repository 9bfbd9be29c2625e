/** The dashboard's server, on loopback: the page, its streams, and the actions. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Dashboard, FleetAction, FleetBoard } from '../../engine/fleet/board.ts';
import { reasonOf } from '../../engine/limits/errno.ts';
import { fail, isJoinError } from '../../engine/sdk/index.ts';
import type { Assets } from '../assets.ts';
import { Guard } from './guard.ts';
import { LIVE_POLICY, livePage, type PageFiles, pageFiles } from './html.ts';
import { Streams } from './streams.ts';
import type { ErrorView } from './view.ts';

const ADDRESS = '127.0.0.1';
const CONNECTIONS_MAX = 64;
const HEADER_BYTES_MAX = 8 << 10;
const BODY_BYTES_MAX = 4 << 10;
const REQUEST_TIMEOUT_MS = 10_000;

const HEADERS = {
  'Content-Security-Policy': LIVE_POLICY,
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
};

export interface DashboardOptions {
  title: string;
  board: FleetBoard;
  assets: Assets;
  /** Default: a free port. */
  port?: number;
}

/** E_FLEET_PORT. */
export async function serveDashboard({ title, board, assets, port = 0 }: DashboardOptions): Promise<Dashboard> {
  const server = createServer({ maxHeaderSize: HEADER_BYTES_MAX, requestTimeout: REQUEST_TIMEOUT_MS });
  server.maxConnections = CONNECTIONS_MAX;
  server.listen(port, ADDRESS);
  await once(server, 'listening').catch((error) => {
    throw fail('E_FLEET_PORT', { address: `${ADDRESS}:${port}`, what: reasonOf(error) }, error);
  });
  const guard = new Guard(`${ADDRESS}:${(server.address() as AddressInfo).port}`);
  const site = new Site({ board, guard, files: pageFiles(assets), page: livePage(title) });
  server.on('request', (request, response) => void site.answer(request, response));
  return {
    link: () => guard.link(),
    async close() {
      site.close();
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

interface SiteParts {
  board: FleetBoard;
  guard: Guard;
  files: PageFiles;
  page: string;
}

class Site {
  readonly #parts: SiteParts;
  readonly #streams: Streams;

  constructor(parts: SiteParts) {
    this.#parts = parts;
    this.#streams = new Streams(parts.board);
  }

  close(): void {
    this.#streams.close();
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    const [path = '', query] = (request.url ?? '').split('?');
    const { guard, files, page } = this.#parts;
    const prefix = `/${guard.id}/`;
    const key = `${request.method} ${path.slice(prefix.length)}`;
    if (!guard.isFor(request)) return end(response, 421);
    if (!path.startsWith(prefix)) return end(response, 404);
    // A link may lead here from anywhere. The page itself holds nothing.
    if (key === 'GET ') return end(response, 200, 'text/html; charset=utf-8', page);
    if (!guard.isFromPage(request)) return end(response, 403);
    if (key === 'GET page.js') return end(response, 200, 'text/javascript; charset=utf-8', files.script);
    if (key === 'GET page.css') return end(response, 200, 'text/css; charset=utf-8', files.style);
    if (key === 'POST session') return this.#openSession(request, response);
    if (!guard.hasSession(request)) return end(response, 401);
    if (key === 'GET status') return this.#streams.addStatus(response);
    if (key === 'GET run') return this.#streams.addRun(response, new URLSearchParams(query).get('host') ?? '');
    if (key === 'POST actions') return this.#act(request, response);
    return end(response, 404);
  }

  async #openSession(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const cookie = this.#parts.guard.open((await bodyOf(request)) ?? '');
    if (cookie !== undefined) response.setHeader('Set-Cookie', cookie);
    end(response, cookie === undefined ? 401 : 204);
  }

  async #act(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const isJson = request.headers['content-type'] === 'application/json';
    const action = isJson ? actionOf(await bodyOf(request)) : undefined;
    if (action === undefined) return end(response, 400);
    try {
      await this.#parts.board.act(action);
      end(response, 204);
    } catch (error) {
      end(response, 409, 'application/json', JSON.stringify(errorView(error)));
    }
  }
}

function end(response: ServerResponse, status: number, type = 'text/plain', body = ''): void {
  response.writeHead(status, body === '' ? {} : { 'Content-Type': type }).end(body);
}

/** Undefined if it is too long, or does not arrive. */
async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      bytes += chunk.length;
      if (bytes > BODY_BYTES_MAX) return undefined;
      chunks.push(chunk);
    }
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Undefined if the text is not an action. */
function actionOf(text = ''): FleetAction | undefined {
  const { action, host, step } = parsed(text);
  if (action === 'pause' || action === 'resume') return { action };
  if (typeof host !== 'string') return undefined;
  if (action === 'retry' || action === 'skip') return { action, host };
  if (typeof step !== 'string') return undefined;
  return action === 'approve' || action === 'deny' ? { action, host, step } : undefined;
}

function parsed(text: string): Record<string, unknown> {
  try {
    return { ...JSON.parse(text) };
  } catch {
    return {};
  }
}

function errorView(error: unknown): ErrorView {
  if (!isJoinError(error)) return { code: 'E_BUG', message: String(error), hint: '' };
  const { code, message, hint } = error;
  return { code, message, hint };
}
