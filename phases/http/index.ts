/** Makes an http call, and sees that its answer is as expected. */
import {
  definePhase,
  fail,
  type HttpCall,
  httpCalls,
  isJoinError,
  type Secret,
  type Web,
} from '../../engine/sdk/index.ts';
import { input, output } from './schema.ts';

export default definePhase({
  name: 'http',
  summary: 'Make an http call with an expectation',
  input,
  output,
  effects: [
    httpCalls('{url}', 'the call'),
    httpCalls('{unless.url}', 'whether it is done already'),
    httpCalls('{undo.url}', 'when it is undone'),
  ],

  async run({ web, log }, { method, irreversible, undo, unless, ca, ...given }) {
    const changes = method !== 'GET' && method !== 'HEAD';
    if (changes && (undo === undefined) === (irreversible === undefined))
      throw fail('E_PHASE_INPUT', {
        phase: 'http',
        problems: [`one of undo and irreversible must say what comes of a ${method}, and not both`],
      });
    if (unless !== undefined && (await isDone(web, { method: 'GET', ...callOf(unless), ...withCa(ca) }))) {
      log.info(`nothing to do: the answer of ${new URL(unless.url).origin} says so`);
      return { called: false };
    }
    const answer = await web.call({ method, ...callOf(given), ...withCa(ca) }, irreversible);
    return { called: true, status: answer.status, ...(method === 'GET' ? { body: answer.body } : {}) };
  },

  async undo({ web }, { undo, ca }) {
    if (undo !== undefined) await web.call({ method: undo.method, ...callOf(undo), ...withCa(ca) });
  },
});

interface Given {
  url: string;
  headers?: Record<string, Secret>;
  json?: object;
  body?: Secret;
  expect?: { status?: readonly number[]; json?: object };
}

function callOf({ url, headers, json, body, expect }: Given): Omit<HttpCall, 'method'> {
  const sent = json === undefined ? body : JSON.stringify(json);
  const type = json === undefined ? {} : { 'content-type': 'application/json' };
  const expected = {
    ...(expect?.status === undefined ? {} : { statuses: expect.status }),
    ...(expect?.json === undefined ? {} : { json: expect.json }),
  };
  return { url, headers: { ...type, ...headers }, ...(sent === undefined ? {} : { body: sent }), expect: expected };
}

const withCa = (ca: string | undefined) => (ca === undefined ? {} : { ca });

async function isDone(web: Web, call: HttpCall): Promise<boolean> {
  try {
    await web.call(call);
    return true;
  } catch (error) {
    if (isJoinError(error) && error.code === 'E_HTTP_ANSWER' && !error.transient) return false;
    throw error;
  }
}
