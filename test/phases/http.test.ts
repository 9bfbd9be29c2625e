import { describe, expect, test } from 'vitest';
import { recordingHost } from '../../engine/host/recording.ts';
import { fail, type HttpCall, revealSecrets } from '../../engine/sdk/index.ts';
import { type MemoryHost, type MemoryMachine, memoryHost } from '../../engine/testing/memory-host.ts';
import http from '../../phases/http/index.ts';
import { itKeepsThePhaseContract, runPhase } from '../helpers/contract.ts';
import { joinErrorOf } from '../helpers/errors.ts';

const URL_ = 'https://cmdb.example/hosts/w1';
const CANARY = 'canary-header-0123';

/** A store of one document, behind the calls of a memory host. */
function store() {
  const calls: HttpCall[] = [];
  let held: string | undefined;
  const machine = (): MemoryMachine => {
    held = undefined;
    return {
      call(call) {
        calls.push(call);
        const answer = (status: number, body = '') => ({ status, body });
        if (call.method === 'PUT') held = String(revealSecrets(call.body));
        if (call.method === 'DELETE') held = undefined;
        if (call.method !== 'GET') return answer(200);
        if (held !== undefined) return answer(200, held);
        const facts = { method: 'GET', url: call.url, what: 'it answered 404 instead of 2xx', retried: false };
        throw fail('E_HTTP_ANSWER', facts);
      },
    };
  };
  return { machine, calls, held: () => held };
}
const put = {
  method: 'PUT',
  url: URL_,
  headers: { authorization: `Bearer ${CANARY}` },
  json: { state: 'joined' },
  unless: { url: URL_, expect: { json: { state: 'joined' } } },
  undo: { method: 'DELETE', url: URL_, headers: { authorization: `Bearer ${CANARY}` } },
};

itKeepsThePhaseContract(http, { input: put, machine: store().machine, secrets: [CANARY] });

describe('http', () => {
  test('a read is also sent in a dry run', async () => {
    const serving = (): MemoryHost => memoryHost({ call: () => ({ status: 200, body: 'yes' }) });
    for (const host of [serving(), recordingHost(serving())]) {
      const { result, changes } = await runPhase(http, { method: 'GET', url: URL_ }, host);
      expect([result.steps[0]?.outputs, changes]).toEqual([{ called: true, status: 200, body: 'yes' }, []]);
    }
  });

  test('a change is not sent in a dry run, and is reported without its query', async () => {
    const { machine, calls } = store();
    const input = { method: 'POST', url: `${URL_}?a=b`, irreversible: 'mail is sent', expect: { status: [202] } };
    const { result, changes } = await runPhase(http, input, recordingHost(memoryHost(machine())));
    expect(changes).toEqual([{ kind: 'http', method: 'POST', url: URL_, irreversible: 'mail is sent' }]);
    expect([result.steps[0]?.outputs, calls]).toEqual([{ called: true, status: 202 }, []]);
  });

  test('the phase http sends headers and JSON, and the request of its undo on undo', async () => {
    const { machine, calls, held } = store();
    const host = memoryHost(machine());
    const { error } = await runPhase(http, put, host);
    expect([error, held()]).toEqual([undefined, '{"state":"joined"}']);
    expect(revealSecrets(calls.at(-1)?.headers)).toEqual({
      'content-type': 'application/json',
      authorization: `Bearer ${CANARY}`,
    });
    const failing = {
      ...http,
      run: async (...args: Parameters<typeof http.run>) => {
        await http.run(...args);
        throw new Error('afterwards');
      },
    };
    await runPhase(failing as never, put, memoryHost(machine()), { onFailure: 'undo' });
    expect(calls.at(-1)).toMatchObject({ method: 'DELETE', url: URL_ });
    expect(held()).toBeUndefined();
  });

  test.each([{}, { undo: put.undo, irreversible: 'x' }])('the phase http refuses a change with %j', async (extra) => {
    const error = await joinErrorOf(() => runPhase(http, { method: 'POST', url: URL_, ...extra }, memoryHost()));
    expect(error).toMatchObject({ code: 'E_INPUT', message: expect.stringContaining('needs exactly one of') });
  });

  test('the phase http refuses a URL that contains a secret of the run', async () => {
    const url = `${URL_}/${CANARY}`;
    const { error } = await runPhase(http, { method: 'GET', url, headers: { x: CANARY } }, memoryHost());
    expect(error).toMatchObject({ code: 'E_SECRET_IN_ADDRESS', facts: { origin: 'https://cmdb.example' } });
  });
});
