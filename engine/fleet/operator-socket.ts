/** The socket of the operator's process: other commands ask it for the status, and for actions. */
import { unlinkSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { parseJson } from '../documents/json.ts';
import { EXIT, fail, isJoinError, JoinError } from '../sdk/errors.ts';
import type { FleetAction } from './board.ts';
import type { LiveBoard } from './live-board.ts';
import { ask, RestateRefusal } from './restate/client.ts';
import type { FleetStatus } from './status.ts';

/** What other commands can ask for. */
interface Desk {
  board: LiveBoard;
  /** A new link to the dashboard. */
  link(): Promise<string>;
}

export interface OperatorSocket {
  close(): Promise<void>;
}

const socketOf = (folder: string): string => join(folder, 'operator.sock');
const LINK = '/link';
const BODY_BYTES_MAX = 64 << 10;

/** `folder` belongs to the operator alone. E_FLEET_RUNNING if another operator has opened it. */
export async function openOperatorSocket(folder: string, fleet: string, desk: Desk): Promise<OperatorSocket> {
  const socketPath = socketOf(folder);
  if ((await operatorStatus(folder)) !== undefined) throw fail('E_FLEET_RUNNING', { fleet });
  try {
    unlinkSync(socketPath); // of an operator that was killed
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const server = createServer((request, response) => void answer(desk, request, response));
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(socketPath, resolve));
  return {
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

interface Reply {
  status?: FleetStatus | null;
  link?: string;
  error?: { code: string; message: string; hint: string };
}

async function answer({ board, link }: Desk, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const reply = (body: Reply): void =>
    void response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
  try {
    if (request.url === LINK) return reply({ link: await link() });
    if (request.method === 'POST') await board.act(parseJson(await bodyOf(request)) as FleetAction);
    reply({ status: board.isKnown ? board.status() : null });
  } catch (error) {
    if (!isJoinError(error)) response.writeHead(500).end((error as Error).message);
    else reply({ error: { code: error.code, message: error.message, hint: error.hint } });
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw new Error('the request is too large');
  }
  return Buffer.concat(chunks).toString();
}

/** Undefined if no operator runs, null if its rollout is not known yet. */
export const operatorStatus = async (folder: string): Promise<FleetStatus | null | undefined> =>
  statusIn(await askOperator(folder, 'GET', '/'));

/** Undefined if no operator runs. Throws the error of the operator. */
export const operatorAct = async (folder: string, action: FleetAction): Promise<FleetStatus | null | undefined> =>
  statusIn(await askOperator(folder, 'POST', '/', action));

/** A new link to the dashboard. Undefined if no operator runs. Throws the error of the operator. */
export const operatorLink = async (folder: string): Promise<string | undefined> =>
  (await askOperator(folder, 'POST', LINK))?.link;

const statusIn = (reply: Reply | undefined): FleetStatus | null | undefined =>
  reply === undefined ? undefined : (reply.status ?? null);

async function askOperator(
  folder: string,
  method: string,
  path: string,
  body?: FleetAction,
): Promise<Reply | undefined> {
  try {
    const reply = (await ask({ socketPath: socketOf(folder) }, method, path, body)) as Reply;
    if (reply.error === undefined) return reply;
    throw new JoinError(reply.error.code, { ...reply.error, exitCode: EXIT.usage }, {});
  } catch (error) {
    if (isJoinError(error) || error instanceof RestateRefusal) throw error;
    return undefined;
  }
}
