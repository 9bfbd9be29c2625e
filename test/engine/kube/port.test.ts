import { once } from 'node:events';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { Transport } from '../../../engine/kube/request.ts';
import { watchObject } from '../../../engine/kube/watch.ts';
import { nodeRef } from '../../../engine/node/index.ts';
import type { ApiRequest } from '../../../engine/sdk/api.ts';
import { fail, Secret } from '../../../engine/sdk/index.ts';
import { type Sandbox, startSandbox } from '../../../plugins/sandbox/index.ts';
import { joinErrorOf } from '../../helpers/errors.ts';
import { admin, clientOf } from '../../plugins/sandbox/client.ts';

let sandbox: Sandbox;
const transport = new Transport(() => new Date());
beforeAll(async () => {
  sandbox = await startSandbox();
});
afterEach(() => sandbox.faults.clear());
afterAll(async () => {
  await transport.close();
  await sandbox.close();
});

const NEVER = new AbortController().signal;
function identity(server = `https://${sandbox.endpoint}`) {
  const { cert, key } = admin(sandbox);
  return { server, ca: sandbox.caPem, certificate: { pem: cert, key: new Secret(key) } };
}
const request = (server?: string): ApiRequest => {
  const as = identity(server);
  return { server: as.server, as, method: 'GET', ref: nodeRef('w1'), path: '/version', query: {}, body: undefined };
};

describe('a request', () => {
  test.each(['unverified', 'verified'])(
    'a request that is aborted while it connects ends at once (%s)',
    async (how) => {
      const silent = createServer().listen(0, '127.0.0.1');
      onTestFinished(() => void silent.close());
      await once(silent, 'listening');
      const server = `https://127.0.0.1:${(silent.address() as AddressInfo).port}`;
      const stop = new AbortController();
      setTimeout(() => stop.abort(fail('E_CANCELLED', { signal: 'SIGINT' })), 50);
      const begunAt = performance.now();
      const asked = how === 'verified' ? request(server) : { ...request(server), as: 'unverified' as const };
      expect((await joinErrorOf(() => transport.send(asked, stop.signal))).code).toBe('E_CANCELLED');
      expect(performance.now() - begunAt).toBeLessThan(2_000);
    },
  );

  test('a redirect of a request is not followed, and the error names its target', async () => {
    sandbox.faults.add({ effect: 'instead', code: 307, headers: { Location: 'https://elsewhere.example/\u009b' } });
    const error = await joinErrorOf(() => transport.send(request(), NEVER));
    expect(error.message).toContain('307, a redirect to https://elsewhere.example/, and none is followed');
  });

  test.each([
    ['7', 7_000],
    [new Date(Date.now() + 60_000).toUTCString(), 60_000],
    ['soon', undefined],
    ['-5', undefined],
    [new Date(0).toUTCString(), undefined],
  ])('a refusal with Retry-After %s asks for a pause of %s ms', async (header, expected) => {
    sandbox.faults.add({ effect: 'instead', code: 503, headers: { 'Retry-After': header } });
    const { retryAfterMs } = await transport.send(request(), NEVER);
    if (expected === undefined) expect(retryAfterMs).toBeUndefined();
    else expect(Math.abs((retryAfterMs ?? 0) - expected)).toBeLessThan(2_000);
  });
});

describe('a watch', () => {
  const watched = (server?: string) =>
    watchObject(
      transport,
      { as: identity(server), ref: nodeRef('w1'), done: (node) => node !== undefined, from: undefined },
      NEVER,
    );

  test('a refused watch ends or begins again, and leaves no unhandled error', async () => {
    sandbox.faults.add({ effect: 'unavailable', path: /watch=true/ });
    sandbox.faults.add({ effect: 'gone' });
    sandbox.faults.add({ effect: 'tooManyRequests', path: /watch=true/, retryAfterSeconds: 1 });
    sandbox.faults.add({ effect: 'unauthorized', path: /watch=true/ });
    const begunAt = performance.now();
    expect((await joinErrorOf(() => watched())).code).toBe('E_API_UNAUTHORIZED');
    expect(performance.now() - begunAt).toBeGreaterThan(1_000);
    await sleep(50); // an unhandled error would be raised by now
  });

  test.each([
    ['before the watch opens', { effect: 'unavailable', times: Number.POSITIVE_INFINITY } as const, /HTTP 503/],
    ['before an earlier attempt, and not since', { effect: 'unavailable' } as const, undefined],
  ])('a wait that ends quotes a failure %s', async (_, fault, witness) => {
    sandbox.faults.add(fault);
    const stop = new AbortController();
    const from = sandbox.store.requests.length;
    const wait = { as: identity(), ref: nodeRef('nobody'), done: () => false, from: undefined };
    const ended = joinErrorOf(() => watchObject(transport, wait, stop.signal));
    const isWatch = ({ path }: { path: string }) => path.includes('watch=true');
    if (witness === undefined) await expect.poll(() => sandbox.store.requests.slice(from).some(isWatch)).toBe(true);
    await sleep(200);
    stop.abort(fail('E_STEP_TIME_LIMIT', { step: 'wait', limitMs: 1 }));
    const { facts } = await ended;
    if (witness === undefined) expect(facts).not.toHaveProperty('witness');
    else expect((facts as { witness?: string }).witness).toMatch(witness);
  });

  test('a watch decodes characters that two chunks share', async () => {
    const line = Buffer.from(`{"type":"ADDED","object":{"metadata":{"name":"w1","annotations":{"a":"日本"}}}}\n`);
    const cut = line.indexOf('日') + 1;
    const server = createHttpsServer(
      clientOf(sandbox, 'kube-apiserver', [], { use: 'server', altNames: ['127.0.0.1'] }),
    );
    server.on('request', async ({ url }, response) => {
      if (!String(url).includes('watch=true')) return void response.end('{"metadata":{"resourceVersion":"1"}}');
      response.write(line.subarray(0, cut));
      await sleep(50);
      response.end(line.subarray(cut));
    });
    onTestFinished(() => void server.close());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const node = await watched(`https://127.0.0.1:${(server.address() as AddressInfo).port}`);
    expect(node).toMatchObject({ metadata: { annotations: { a: '日本' } } });
  });
});
