/** Sends an HTTP request and checks the response. */
import {
  defined,
  definePhase,
  type HttpCall,
  httpCalls,
  isJoinError,
  type Secret,
  type Web,
} from '../../engine/sdk/index.ts';
import { input, output } from './schema.ts';

export default definePhase({
  name: 'http',
  summary: 'Send an HTTP request and check the response',
  input,
  output,
  effects: [
    httpCalls('{url}', 'the request'),
    httpCalls('{unless.url}', 'the check whether the work is already done'),
    httpCalls('{undo.url}', 'on undo'),
  ],

  async run({ web, log }, { method, irreversible, undo: _, unless, ca, ...inputs }) {
    if (unless !== undefined && (await isDone(web, { method: 'GET', ...callOf(unless), ...defined({ ca }) }))) {
      log.info(`nothing to do: the response of ${new URL(unless.url).origin} is as expected`);
      return { called: false };
    }
    const answer = await web.call({ method, ...callOf(inputs), ...defined({ ca }) }, irreversible);
    return { called: true, status: answer.status, ...(method === 'GET' ? { body: answer.body } : {}) };
  },

  async undo({ web }, { undo, ca }) {
    if (undo !== undefined) await web.call({ method: undo.method, ...callOf(undo), ...defined({ ca }) });
  },
});

interface RequestInputs {
  url: string;
  headers?: Record<string, Secret>;
  json?: object;
  body?: Secret;
  expect?: { status?: readonly number[]; json?: object };
}

function callOf({ url, headers, json, body, expect }: RequestInputs): Omit<HttpCall, 'method'> {
  const sent = json === undefined ? body : JSON.stringify(json);
  const type = json === undefined ? {} : { 'content-type': 'application/json' };
  const expected = defined({ statuses: expect?.status, json: expect?.json });
  return { url, headers: { ...type, ...headers }, ...defined({ body: sent }), expect: expected };
}

async function isDone(web: Web, call: HttpCall): Promise<boolean> {
  try {
    await web.call(call);
    return true;
  } catch (error) {
    if (isJoinError(error) && error.code === 'E_HTTP_ANSWER' && !error.transient) return false;
    throw error;
  }
}
