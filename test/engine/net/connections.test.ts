import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { text } from 'node:stream/consumers';
import type { TLSSocket } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { directConnections } from '../../../engine/net/connections.ts';
import { unverifiedConnector } from '../../../engine/net/trusted-connector.ts';
import { thrownBy } from '../../helpers/errors.ts';
import { certificate } from '../../helpers/web-servers.ts';

const NEVER = new AbortController().signal;
const LIMITS = { headersTimeoutMs: 5_000, bodyTimeoutMs: 5_000, onInfo: () => undefined };
const GET = { method: 'GET', path: '/a?b=c', headers: { accept: 'x' }, body: undefined, signal: NEVER, ...LIMITS };

async function serving(answer: RequestListener, host = '127.0.0.1') {
  const sockets = new Set<TLSSocket>();
  const server = createServer(certificate(), answer);
  server.on('secureConnection', (socket) => sockets.add(socket.on('error', () => undefined)));
  await once(server.listen(0, host), 'listening');
  const { port } = server.address() as AddressInfo;
  const url = `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const connections = directConnections(url, unverifiedConnector(url));
  onTestFinished(async () => {
    await connections.destroy();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { connections, sockets, url };
}
const failureOf = async (running: Promise<unknown>) => (await thrownBy(() => running)) as NodeJS.ErrnoException;

test('requests after each other use one connection, and requests at the same time have one each', async () => {
  const { connections, sockets } = await serving((_, response) => response.end('x'));
  const ask = async () => text((await connections.request(GET)).body);
  await ask();
  await ask();
  expect(sockets.size).toBe(1);
  expect(await Promise.all([ask(), ask()])).toEqual(['x', 'x']);
  expect(sockets.size).toBe(2);
});

test.each(['127.0.0.1', '::1'])('a request arrives as it was sent, at %s', async (host) => {
  const { connections, url } = await serving(async (request, response) => {
    const { method, url, headers } = request;
    response.setHeader('x-seen', `${method} ${url} ${headers.host} ${headers.accept} ${headers['content-length']}`);
    response.writeHead(201).end(await text(request));
  }, host);
  const { statusCode, headers, body } = await connections.request({ ...GET, method: 'POST', body: 'zwölf' });
  expect([statusCode, headers['x-seen']]).toEqual([201, `POST /a?b=c ${url.slice(8)} x 6`]);
  expect(await text(body)).toBe('zwölf');
});

test('a server that does not answer in time is an error, however many informational responses it sends', async () => {
  const { connections } = await serving((_, response) => {
    const timer = setInterval(() => response.writeProcessing(), 10);
    response.once('close', () => clearInterval(timer));
  });
  const error = await failureOf(connections.request({ ...GET, headersTimeoutMs: 100 }));
  expect(error.code).toBe('ERR_HEADERS_TIMEOUT');
});

test('an informational response that is not allowed ends the request', async () => {
  const { connections } = await serving((_, response) => response.writeProcessing());
  const refuse = () => {
    throw new Error('no');
  };
  expect((await failureOf(connections.request({ ...GET, onInfo: refuse }))).message).toBe('no');
});

test.each<[string, string, RequestListener]>([
  ['that stops', 'ERR_BODY_TIMEOUT', (_, response) => response.write('x')],
  ['that is cut off', 'ERR_CLOSED', ({ socket }, response) => response.write('x', () => socket.destroy())],
  [
    'that is shorter than it announced',
    'ERR_CLOSED',
    ({ socket }) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx'),
  ],
  [
    'with an invalid chunk',
    'HPE_INVALID_CHUNK_SIZE',
    ({ socket }) => socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'),
  ],
])('a body %s ends with the error %s', async (_, code, answer) => {
  const { connections } = await serving(answer);
  const { body } = await connections.request({ ...GET, bodyTimeoutMs: 100 });
  expect((await failureOf(text(body))).code).toBe(code);
});

test.each<[string, string, RequestListener]>([
  ['nothing', 'ERR_CLOSED', ({ socket }) => socket.end()],
  ['another protocol', 'HPE_INVALID_CONSTANT', ({ socket }) => socket.end('220 mail.example ESMTP\r\n')],
  [
    'headers without end',
    'HPE_HEADER_OVERFLOW',
    ({ socket }) => socket.write(`HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(9_999)}`),
  ],
])('an answer of %s is the error %s', async (_, code, answer) => {
  const { connections } = await serving(answer);
  expect((await failureOf(connections.request(GET))).code).toBe(code);
});

test('a connection that is not established in time is an error that names the address', async () => {
  const server = createTcpServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  onTestFinished(() => void server.close());
  const url = `https://127.0.0.1:${port}`;
  const connections = directConnections(url, unverifiedConnector(url));
  const error = await failureOf(connections.request(GET));
  expect(error).toMatchObject({ code: 'ERR_CONNECT_TIMEOUT', address: '127.0.0.1', port });
  await connections.destroy();
}, 15_000);

test('a request ends when it is cancelled, and with its connections', async () => {
  const { connections } = await serving((_, response) => response.write('x'));
  const stop = new AbortController();
  const { body } = await connections.request({ ...GET, signal: stop.signal });
  stop.abort();
  expect(await failureOf(text(body))).toBeInstanceOf(Error);
  const { body: second } = await connections.request(GET);
  await connections.destroy();
  expect((await failureOf(text(second))).code).toBe('ERR_CLOSED');
});

test('a server that refuses the connection is an error with its code', async () => {
  const url = 'https://127.0.0.1:1';
  expect((await failureOf(directConnections(url, unverifiedConnector(url)).request(GET))).code).toBe('ECONNREFUSED');
});
