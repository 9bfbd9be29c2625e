import { text } from 'node:stream/consumers';
import { connect } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { generateKeyPem, issueCertificate, publicKeyDer } from '../../../engine/pki/index.ts';
import { type Effect, type Sandbox, startSandbox } from '../../../plugins/sandbox/index.ts';
import { admin, ask, CLUSTER_INFO, CSRS, clientOf, csrObject, NODES, watch } from './client.ts';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox();
});
afterAll(() => sandbox.close());
afterEach(() => sandbox.faults.clear());

describe('a fault', () => {
  test.each<[Effect, number]>([
    ['unauthorized', 401],
    ['forbidden', 403],
    ['tooManyRequests', 429],
    ['internalError', 500],
    ['unavailable', 503],
  ])('the fault %s answers one request with %i', async (effect, code) => {
    sandbox.faults.add({ effect });
    const { code: first, json } = await ask(sandbox, CLUSTER_INFO);
    expect({ first, kind: json.kind }).toEqual({ first: code, kind: 'Status' });
    expect((await ask(sandbox, CLUSTER_INFO)).code).toBe(200);
  });
  test('a fault applies to its method and path, for its number of requests', async () => {
    sandbox.faults.add({ effect: 'unavailable', method: 'GET', path: CLUSTER_INFO, times: 2 });
    expect((await ask(sandbox, '/version')).code).toBe(200);
    expect((await ask(sandbox, CLUSTER_INFO, { method: 'DELETE' })).code).toBe(403);
    expect((await ask(sandbox, CLUSTER_INFO)).code).toBe(503);
    expect((await ask(sandbox, CLUSTER_INFO)).code).toBe(503);
    expect((await ask(sandbox, CLUSTER_INFO)).code).toBe(200);
  });
  test('a fault matches a pattern of path and query, spares the first requests, and reports each match', async () => {
    let met = 0;
    const onTriggered = () => {
      met++;
    };
    sandbox.faults.add({ effect: 'unavailable', path: /^\/version\?x=[12]$/, after: 1, onTriggered });
    const codes = [];
    for (const query of ['', '?x=1', '?x=3', '?x=2', '?x=2'])
      codes.push((await ask(sandbox, `/version${query}`)).code, met);
    expect(codes).toEqual([200, 0, 200, 0, 200, 0, 503, 1, 200, 1]);
  });
  test('clearing the faults ends a fault', async () => {
    sandbox.faults.add({ effect: 'unavailable', times: 100 });
    sandbox.faults.clear();
    expect((await ask(sandbox, '/version')).code).toBe(200);
  });
});

test('the fault 429 says when to retry', async () => {
  sandbox.faults.add({ effect: 'tooManyRequests', retryAfterSeconds: 7 });
  const { headers, json } = await ask(sandbox, '/version');
  expect(headers['retry-after']).toBe('7');
  expect(json.details).toEqual({ retryAfterSeconds: 7 });
});
test('the fault latency delays the answer', async () => {
  sandbox.faults.add({ effect: 'latency', latencyMs: 150 });
  const start = performance.now();
  expect((await ask(sandbox, '/version')).code).toBe(200);
  expect(performance.now() - start).toBeGreaterThan(140);
});
test('the fault latency does not keep the sandbox from closing', async () => {
  const other = await startSandbox();
  other.faults.add({ effect: 'latency', latencyMs: 60_000 });
  const reply = ask(other, '/version').catch((error: Error) => error);
  await new Promise((resolve) => setTimeout(resolve, 50));
  await other.close();
  expect(await reply).toBeInstanceOf(Error);
});
test('the fault reset cuts the connection before the request is applied', async () => {
  sandbox.faults.add({ effect: 'reset', method: 'POST' });
  await expect(ask(sandbox, CSRS, { method: 'POST', token: sandbox.token, body: csrObject('w1') })).rejects.toThrow(
    'hang up',
  );
  expect(sandbox.store.list('certificatesigningrequests')).toEqual([]);
});
test('the fault truncate cuts the answer after the request is applied', async () => {
  sandbox.faults.add({ effect: 'truncated', method: 'POST' });
  await expect(ask(sandbox, CSRS, { method: 'POST', token: sandbox.token, body: csrObject('w1') })).rejects.toThrow(
    'aborted',
  );
  expect(sandbox.store.list('certificatesigningrequests')).toHaveLength(1);
});
test('the fault portal answers in HTML', async () => {
  sandbox.faults.add({ effect: 'notJson' });
  const { code, headers, text } = await ask(sandbox, CLUSTER_INFO);
  expect({ code, type: headers['content-type'] }).toEqual({ code: 200, type: 'text/html' });
  expect(text).toContain('<html>');
});
test('the fault huge sends more than any client should read', async () => {
  sandbox.faults.add({ effect: 'huge' });
  expect((await ask(sandbox, CLUSTER_INFO)).text.length).toBeGreaterThan(8 << 20);
});

test.each([0, 1, 16, 40])('the fault cut ends the connection after %i bytes', async (bytes) => {
  sandbox.faults.add({ effect: 'cut', bytes });
  const socket = connect({ port: Number(sandbox.endpoint.split(':')[1]), ca: sandbox.caPem });
  socket.write('GET /version HTTP/1.1\r\nHost: sandbox\r\n\r\n');
  const said = await text(socket);
  expect(said).toHaveLength(bytes);
  expect('HTTP/1.1 200 OK\r\n').toContain(said.slice(0, 17));
});
test('the fault drip sends the answer byte by byte', async () => {
  sandbox.faults.add({ effect: 'drip', latencyMs: 1 });
  const start = performance.now();
  const { text: whole } = await ask(sandbox, '/version');
  expect(performance.now() - start).toBeGreaterThan(whole.length);
});
test('the fault endless sends data until the client hangs up', async () => {
  sandbox.faults.add({ effect: 'endless' });
  const socket = connect({ port: Number(sandbox.endpoint.split(':')[1]), ca: sandbox.caPem });
  socket.write('GET /version HTTP/1.1\r\nHost: sandbox\r\n\r\n');
  let bytes = 0;
  for await (const chunk of socket) {
    bytes += (chunk as Buffer).length;
    if (bytes > 16 << 20) break;
  }
  expect(bytes).toBeGreaterThan(16 << 20);
});
test('the fault early sends an informational response before the answer', async () => {
  sandbox.faults.add({ effect: 'early' });
  const socket = connect({ port: Number(sandbox.endpoint.split(':')[1]), ca: sandbox.caPem });
  socket.write('GET /version HTTP/1.1\r\nHost: sandbox\r\nConnection: close\r\n\r\n');
  expect((await text(socket)).match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 103', 'HTTP/1.1 102', 'HTTP/1.1 200']);
});
test('a fault can change or remove headers', async () => {
  sandbox.faults.add({ effect: 'headers', headers: { Date: 'once upon a time' } });
  sandbox.faults.add({ effect: 'headers', headers: { Date: undefined } });
  expect((await ask(sandbox, '/version')).headers.date).toBe('once upon a time');
  expect((await ask(sandbox, '/version')).headers.date).toBeUndefined();
});
test('a fault can replace the answer', async () => {
  sandbox.faults.add({ effect: 'instead', code: 302, text: '{}', headers: { Location: 'https://elsewhere/' } });
  const { code, headers, text: body } = await ask(sandbox, '/version');
  expect([code, headers.location, body]).toEqual([302, 'https://elsewhere/', '{}']);
});
test('a fault can change the answer after the request is applied', async () => {
  sandbox.faults.add({ effect: 'changed', change: (object) => ({ ...object, metadata: null }) });
  const { json } = await ask(sandbox, CLUSTER_INFO);
  expect([json.kind, json.metadata]).toEqual(['ConfigMap', null]);
});

describe('a watch', () => {
  const events = async () => {
    const seen = [];
    for await (const event of watch(sandbox, `${NODES}?timeoutSeconds=1`, { identity: admin(sandbox) }))
      seen.push(event);
    return seen;
  };
  test('a fault can end a watch at once', async () => {
    sandbox.faults.add({ effect: 'watchEnds' });
    const start = performance.now();
    expect(await events()).toEqual([]);
    expect(performance.now() - start).toBeLessThan(900);
  });
  test('a fault can make a watch expire within its stream', async () => {
    sandbox.faults.add({ effect: 'watchExpired' });
    expect(await events()).toMatchObject([{ type: 'ERROR', object: { code: 410, reason: 'Expired' } }]);
  });
  test('a fault can change the objects of a watch', async () => {
    sandbox.store.create('nodes', { metadata: { name: 'changed' } });
    sandbox.faults.add({ effect: 'changed', path: NODES, change: () => ({ nonsense: true }) });
    expect(await events()).toContainEqual({ type: 'ADDED', object: { nonsense: true } });
  });
  test('a fault can refuse a watch with 410', async () => {
    sandbox.faults.add({ effect: 'gone' });
    expect((await ask(sandbox, '/version')).code).toBe(200);
    expect((await ask(sandbox, `${NODES}?watch=true`, { identity: admin(sandbox) })).code).toBe(410);
  });
});

describe('a forged cluster-info', () => {
  const forged = { kind: 'ConfigMap', metadata: { name: 'cluster-info' }, data: { kubeconfig: 'forged' } };

  test('a forged cluster-info goes to anonymous readers only', async () => {
    sandbox.faults.clusterInfo(forged);
    expect((await ask(sandbox, CLUSTER_INFO)).json.data).toEqual({ kubeconfig: 'forged' });
    expect((await ask(sandbox, CLUSTER_INFO, { identity: admin(sandbox) })).json.data).not.toEqual({
      kubeconfig: 'forged',
    });
  });
  test('a forged cluster-info can be served once, and the true one afterwards', async () => {
    sandbox.faults.clusterInfo(forged, 1);
    expect((await ask(sandbox, CLUSTER_INFO)).json.data).toEqual({ kubeconfig: 'forged' });
    expect((await ask(sandbox, CLUSTER_INFO)).json.data).not.toEqual({ kubeconfig: 'forged' });
  });
});

describe('another serving certificate', () => {
  const serverOf = (changes: object) =>
    clientOf(sandbox, 'kube-apiserver', [], { use: 'server', altNames: ['127.0.0.1'], ...changes });

  test('a serving certificate of another CA is not trusted', async () => {
    const key = generateKeyPem();
    const subject = { commonName: 'kubernetes', organizations: [] };
    const validity = { notBefore: new Date(Date.now() - 1000), notAfter: new Date(Date.now() + 60_000) };
    const cert = issueCertificate({
      subject,
      publicKey: publicKeyDer(key),
      signingKey: key,
      use: 'server',
      altNames: ['127.0.0.1'],
      ...validity,
    });
    sandbox.serveWith({ cert, key });
    await expect(ask(sandbox, '/version')).rejects.toThrow('self-signed');
  });
  test('a serving certificate for another host is not trusted', async () => {
    sandbox.serveWith(serverOf({ altNames: ['192.0.2.1'] }));
    await expect(ask(sandbox, '/version')).rejects.toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  });
  test('an expired serving certificate is not trusted', async () => {
    sandbox.serveWith(serverOf({ notAfter: new Date(Date.now() - 1000) }));
    await expect(ask(sandbox, '/version')).rejects.toMatchObject({ code: 'CERT_HAS_EXPIRED' });
  });
  test('a valid replacement of the serving certificate is trusted', async () => {
    sandbox.serveWith(serverOf({}));
    expect((await ask(sandbox, '/version')).code).toBe(200);
  });
});
