/** HTTP calls of phases, and waits for an answer or a port: with limits on time and size, and without redirects. */
import { connect } from 'node:net';
import request from 'undici/lib/api/api-request.js';
import { LIMITS } from '../limits/sizes.ts';
import { sleep } from '../limits/timers.ts';
import { fail, isJoinError, openFilesError } from '../sdk/errors.ts';
import type { HttpAnswer, HttpCall } from '../sdk/ports.ts';
import { isSecret, type Secret } from '../sdk/secret.ts';
import { clean } from '../sdk/text.ts';
import { isIdempotent, urlWithoutQuery, whyRefused } from './address.ts';
import { connectionError } from './failure.ts';
import { limitInformational } from './informational.ts';
import { dispatcherTo } from './proxy.ts';
import { systemRoots } from './roots.ts';

const ANSWER_TIMEOUT_MS = 30_000;
const CONNECT_TIMEOUT_MS = 5_000;
const PAUSE_MS_MAX = 2_000;

/** Returns the answer if it is as expected. E_HTTP_ANSWER, E_HTTP_UNREACHABLE, E_API_CERTIFICATE_… */
export async function answerOf(call: HttpCall, signal: AbortSignal): Promise<HttpAnswer> {
  const refused = whyRefused(call.url);
  if (refused !== undefined) throw answerError(call, refused, false);
  const answer = await send(call, signal);
  const problem = whyUnexpected(call, answer);
  // A retry may apply the request twice, so only idempotent calls are retried.
  if (problem !== undefined) throw answerError(call, problem, answer.status >= 500 || answer.status === 429);
  return answer;
}

const answerError = (call: HttpCall, what: string, passing: boolean) =>
  fail('E_HTTP_ANSWER', {
    method: call.method,
    url: urlWithoutQuery(call.url),
    what,
    retried: passing && isIdempotent(call),
  });

async function send({ method, url, headers = {}, body, ca }: HttpCall, signal: AbortSignal): Promise<HttpAnswer> {
  const trusted = ca === undefined ? [...(await systemRoots())] : [ca];
  const agent = await dispatcherTo(new URL(url), trusted, (what) => answerError({ method, url }, what, false));
  const { origin, pathname, search } = new URL(url);
  try {
    const answer = await request.call(agent, {
      origin,
      path: `${pathname}${search}`,
      method,
      signal,
      headers: {
        'user-agent': 'joinery',
        ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), plain(value)])),
      },
      body: body === undefined ? null : plain(body),
      headersTimeout: ANSWER_TIMEOUT_MS,
      onInfo: limitInformational((what) => answerError({ method, url }, `it sent ${what}`, false)),
      bodyTimeout: ANSWER_TIMEOUT_MS,
    });
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > LIMITS.webAnswer)
        throw answerError({ method, url }, `its answer is larger than ${LIMITS.webAnswer} bytes`, false);
      chunks.push(chunk);
    }
    return { status: answer.statusCode, body: Buffer.concat(chunks).toString('utf8') };
  } catch (error) {
    const failure = isJoinError(error) ? error : connectionError(error, origin, signal);
    if (!isJoinError(failure) || failure.code !== 'E_API_UNREACHABLE') throw failure;
    const { what } = failure.facts as { what: string };
    throw fail(
      'E_HTTP_UNREACHABLE',
      { method, url: urlWithoutQuery(url), what, retried: isIdempotent({ method }) },
      error,
    );
  } finally {
    await agent.destroy();
  }
}

const plain = (value: string | Secret): string => (isSecret(value) ? value.reveal() : value);

/** The difference between an answer and the expected one. */
function whyUnexpected({ expect = {} }: HttpCall, { status, body }: HttpAnswer): string | undefined {
  const { statuses, json } = expect;
  const isExpected = statuses === undefined ? status >= 200 && status < 300 : statuses.includes(status);
  if (!isExpected) return unexpectedStatus(status, statuses?.join(' or ') ?? '2xx', body);
  if (json === undefined) return undefined;
  try {
    return missingIn(JSON.parse(body), json, '');
  } catch {
    return `its answer is not JSON: ${clean(body).slice(0, 80)}`;
  }
}

function unexpectedStatus(status: number, expected: string, body: string): string {
  const text = body === '' ? '' : `: ${clean(body).slice(0, 200)}`;
  return `it answered ${status} instead of ${expected}${text}`;
}

/** The first value in `expected` that `found` does not have. `found` may have more. */
function missingIn(found: unknown, expected: unknown, at: string): string | undefined {
  if (typeof expected !== 'object' || expected === null)
    return found === expected ? undefined : `its ${at || 'answer'} is not ${clean(JSON.stringify(expected))}`;
  if (typeof found !== 'object' || found === null) return `it has no ${at || 'mapping'}`;
  for (const [key, value] of Object.entries(expected)) {
    const inner = Object.hasOwn(found, key) ? Reflect.get(found, key) : undefined;
    const problem = missingIn(inner, value, at === '' ? key : `${at}.${key}`);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** Repeats the call until the answer is as expected. E_WAIT contains the last failure. */
export async function waitForAnswer(call: HttpCall, signal: AbortSignal): Promise<undefined> {
  await until(urlWithoutQuery(call.url), signal, async () => {
    await answerOf(call, signal);
  });
}

/** Waits until the port accepts connections. */
export async function waitForPort(host: string, port: number, signal: AbortSignal): Promise<undefined> {
  await until(`${host}:${port}`, signal, () => accepts(host, port, signal));
}

function accepts(host: string, port: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    // Not `connect({ signal })`: its listener would stay on the signal, one more after each attempt.
    const socket = connect({ host, port, timeout: CONNECT_TIMEOUT_MS });
    const stop = () => socket.destroy(signal.reason as Error);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    socket.once('close', () => signal.removeEventListener('abort', stop));
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.once('timeout', () => socket.destroy(new Error(`no answer within ${CONNECT_TIMEOUT_MS / 1000} s`)));
    socket.once('error', reject);
  });
}

/** Repeats with growing pauses, because neither can be watched. A permanent failure ends the wait at once. */
async function until(what: string, signal: AbortSignal, attempt: () => Promise<void>): Promise<void> {
  let said = '';
  for (let pauseMs = 50; ; pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX)) {
    try {
      return await attempt();
    } catch (error) {
      if (!signal.aborted) said = clean((error as Error).message);
      if (isJoinError(error) && !error.code.startsWith('E_HTTP_')) throw error;
      const limit = openFilesError(error, what);
      if (limit !== undefined) throw limit;
    }
    await sleep(pauseMs, signal).catch(() => undefined);
    if (signal.aborted) throw fail('E_WAIT', { what, said }, signal.reason);
  }
}
