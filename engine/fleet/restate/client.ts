/** Requests to a Restate server: over a Unix socket of the operator, or over HTTP. */
import { request } from 'node:http';
import { LIMITS } from '../../limits/sizes.ts';
import { sleep } from '../../limits/timers.ts';
import { clean } from '../../sdk/text.ts';

/** The path of a socket, or the URL of a server. */
export type Endpoint = { socketPath: string } | { url: string };

const TIMEOUT_MS = 30_000;

/** An answer that says that the request failed. */
export class RestateRefusal extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** The answer as JSON, undefined if it is empty. Throws a RestateRefusal, or the error of the connection. */
export async function ask(endpoint: Endpoint, method: string, path: string, body?: unknown): Promise<unknown> {
  const base = 'url' in endpoint ? endpoint.url : 'http://restate';
  const socket = 'url' in endpoint ? {} : endpoint;
  const text = body === undefined ? '' : JSON.stringify(body);
  const headers = body === undefined ? {} : { 'content-type': 'application/json' };
  const { status, answer } = await new Promise<{ status: number; answer: string }>((resolve, reject) => {
    const sent = request(new URL(path, base), { method, ...socket, headers, timeout: TIMEOUT_MS }, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > LIMITS.journal) sent.destroy(new Error(`the answer is larger than ${LIMITS.journal} bytes`));
        else chunks.push(chunk);
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, answer: Buffer.concat(chunks).toString() }));
      response.on('error', reject);
    });
    sent.on('timeout', () => sent.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
    sent.on('error', reject);
    sent.end(text);
  });
  if (status >= 300) throw new RestateRefusal(status, clean(`HTTP ${status}: ${answer}`));
  return answer === '' ? undefined : JSON.parse(answer);
}

const RESTART_TIMEOUT_MS = 60_000;
const PAUSE_MS = 200;

/** Like `ask`, but waits for a server that is starting again. The server may get the request more than once. */
export async function askPatiently(endpoint: Endpoint, method: string, path: string, body?: unknown): Promise<unknown> {
  const deadlineMs = performance.now() + RESTART_TIMEOUT_MS;
  for (;;) {
    try {
      return await ask(endpoint, method, path, body);
    } catch (error) {
      const isTemporary = !(error instanceof RestateRefusal) || error.status >= 502;
      if (!isTemporary || performance.now() > deadlineMs) throw error;
      await sleep(PAUSE_MS);
    }
  }
}
