/** Http calls and waits of the real host. */
import { getEventListeners } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { answerOf, waitForAnswer, waitForPort } from '../../../engine/net/calls.ts';
import { type HttpCall, Secret } from '../../../engine/sdk/index.ts';
import { joinErrorOf } from '../../helpers/errors.ts';
import { plainServer, secureServer } from '../../helpers/web-server.ts';

const { signal } = new AbortController();
const failed = (call: HttpCall) => joinErrorOf(() => answerOf(call, signal));

describe('a call', () => {
  test('a call sends method, headers and body with secrets revealed, and returns status and body', async () => {
    const seen: unknown[] = [];
    const url = await plainServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      seen.push([request.method, request.url, request.headers.authorization, body]);
      response.writeHead(201).end('made');
    });
    const call: HttpCall = {
      ...({ method: 'POST' } as const),
      url: `${url}/a?b=c`,
      body: new Secret('text'),
      headers: { Authorization: new Secret('Bearer word') },
    };
    expect(await answerOf(call, signal)).toEqual({ status: 201, body: 'made' });
    expect(seen).toEqual([['POST', '/a?b=c', 'Bearer word', 'text']]);
  });

  test('a call trusts the given certificates, or by default those of the machine', async () => {
    const { url, ca } = await secureServer((_, response) => response.end('{"ok":true}'));
    expect(await answerOf({ method: 'GET', url, ca }, signal)).toMatchObject({ status: 200 });
    expect(await failed({ method: 'GET', url })).toMatchObject({ code: 'E_API_CERTIFICATE_UNTRUSTED', exitCode: 12 });
  });

  test.each([
    ['http://example.test/', 'http is only allowed to this machine itself: use https'],
    ['http://127.0.0.1.example.test/', 'http is only allowed to this machine itself: use https'],
    ['https://user:pass@example.test/', 'a password in an address is visible to every user of the machine'],
    ['ftp://example.test/', 'it is neither https nor http'],
    ['nonsense', 'it is not an address'],
  ])('a call to %s is refused', async (url, what) => {
    expect(await failed({ method: 'GET', url })).toMatchObject({ code: 'E_HTTP_ANSWER', facts: { what } });
  });

  test.each([
    ['another status', {}, 404, 'gone', 'it answered 404 instead of 2xx: gone'],
    ['a redirect', {}, 302, '', 'it answered 302 instead of 2xx'],
    ['another one than expected', { statuses: [404, 410] }, 200, '', 'it answered 200 instead of 404 or 410'],
    ['no JSON', { json: { ok: true } }, 200, '<html>', 'its answer is not JSON: <html>'],
    ['other JSON', { json: { a: { b: 1 } } }, 200, '{"a":{"b":2}}', 'its a.b is not 1'],
    ['less JSON', { json: { a: { b: 1 } } }, 200, '{"c":{}}', 'it has no a'],
    ['an odd key', { json: { toString: 'x' } }, 200, '{}', 'its toString is not "x"'],
  ])('a call with %s fails', async (_, expected, status, body, what) => {
    const url = await plainServer((__, response) => response.writeHead(status, { location: '/' }).end(body));
    const error = await failed({ method: 'GET', url: `${url}/p?secret=1`, expect: expected });
    expect(error).toMatchObject({
      code: 'E_HTTP_ANSWER',
      exitCode: 5,
      transient: false,
      facts: { method: 'GET', url: `${url}/p`, what },
    });
  });

  test('a call accepts JSON that holds more than expected', async () => {
    const url = await plainServer((_, response) => response.end('{"a":[1,2],"b":"x"}'));
    expect(await answerOf({ method: 'GET', url, expect: { json: { a: [1] } } }, signal)).toMatchObject({ status: 200 });
  });

  test.each([
    ['GET', true],
    ['PUT', true],
    ['DELETE', true],
    ['POST', false],
    ['PATCH', false],
  ] as const)('a %s call is retried if the server is overloaded or gone: %s', async (method, transient) => {
    const url = await plainServer((_, response) => response.writeHead(503).end());
    expect(await failed({ method, url })).toMatchObject({ code: 'E_HTTP_ANSWER', transient });
    expect(await failed({ method, url: 'http://127.0.0.1:9/' })).toMatchObject({
      code: 'E_HTTP_UNREACHABLE',
      transient,
    });
  });

  test('a call reads at most 1 MiB', async () => {
    const url = await plainServer((_, response) => response.end(Buffer.alloc((1 << 20) + 1)));
    expect(await failed({ method: 'GET', url })).toMatchObject({
      facts: { what: 'its answer is larger than 1048576 bytes' },
    });
  });
});

describe('a wait', () => {
  test('a wait for an answer asks until it is as expected', async () => {
    let asked = 0;
    const url = await plainServer((_, response) => response.writeHead(++asked < 3 ? 500 : 200).end());
    await waitForAnswer({ method: 'GET', url }, signal);
    expect(asked).toBe(3);
  });

  test('a wait for a port ends as soon as something listens there', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => server.close(resolve));
    const waiting = waitForPort('127.0.0.1', port, signal);
    await sleep(120);
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    await waiting;
    server.close();
  });

  test('a wait that times out reports its last error, and a hopeless one ends at once', async () => {
    const limit = AbortSignal.timeout(150);
    expect(await joinErrorOf(() => waitForPort('127.0.0.1', 9, limit))).toMatchObject({
      code: 'E_WAIT',
      exitCode: 7,
      facts: { what: '127.0.0.1:9', said: 'connect ECONNREFUSED 127.0.0.1:9' },
    });
    const { url } = await secureServer((_, response) => response.end());
    expect(await joinErrorOf(() => waitForAnswer({ method: 'GET', url }, signal))).toMatchObject({
      code: 'E_API_CERTIFICATE_UNTRUSTED',
    });
  });
});

test('a long wait for a port leaves no listener behind, so that Node does not warn of too many', async () => {
  const stop = new AbortController();
  const waiting = waitForPort('127.0.0.1', 1, stop.signal).catch((error: Error) => error);
  await sleep(1_500); // several attempts
  expect(getEventListeners(stop.signal, 'abort').length).toBeLessThan(3);
  stop.abort(new Error('enough'));
  expect(await waiting).toMatchObject({ code: 'E_WAIT' });
});
