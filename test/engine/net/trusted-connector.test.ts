/** Real TLS on loopback: what a server sees before its certificates are verified, and attempts to get around that. */
import { once } from 'node:events';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import tls from 'node:tls';
import request from 'undici/lib/api/api-request.js';
import PoolOf from 'undici/lib/dispatcher/pool.js';
import { afterEach, describe, expect, test } from 'vitest';
import { trustedConnector, unverifiedConnector, verifying } from '../../../engine/net/trusted-connector.ts';
import { isJoinError, type JoinError } from '../../../engine/sdk/errors.ts';
import { below, HOST, LEAF, leaf, MIDDLE, middle, root } from '../../helpers/certificates/case.ts';
import { altNames, ca, keyUsage } from '../../helpers/certificates/extensions.ts';
import { type Certificate, inDays, issue, party } from '../../helpers/certificates/issue.ts';
import { thrownBy } from '../../helpers/errors.ts';

const ROOT_PEM = root().pem;
const key = LEAF.key.export({ type: 'pkcs8', format: 'pem' }).toString();
const pemOf = (chain: Certificate[]) => chain.map(({ pem }) => pem).join('');
const STRANGER = party('stranger');
const strange = leaf({ issuer: STRANGER });

const open: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

/** Notes each byte of HTTP that it gets. */
async function serve(chain: Certificate[], options: tls.TlsOptions = {}) {
  const requests: string[] = [];
  const server = https.createServer({ cert: pemOf(chain), key, ...options }, (incoming, response) => {
    requests.push(`${incoming.method} ${incoming.url} ${incoming.headers.authorization}`);
    response.end('{}');
  });
  const received: string[] = [];
  server.on('secureConnection', (socket: tls.TLSSocket) => socket.on('data', (data) => received.push(String(data))));
  server.on('tlsClientError', () => undefined);
  server.listen(0, HOST);
  await once(server, 'listening');
  open.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `https://${HOST}:${(server.address() as AddressInfo).port}`, server, requests, received };
}

function poolTo(url: string, { ca = [ROOT_PEM], intermediates = '', now = () => new Date() } = {}) {
  const pool = new PoolOf(url, { connections: 1, connect: trustedConnector({ server: url, ca, intermediates, now }) });
  open.push(() => pool.destroy());
  return pool;
}

async function ask(pool: ReturnType<typeof poolTo>): Promise<number> {
  const { statusCode, body } = await request.call(pool, {
    path: '/secret',
    method: 'GET',
    headers: { authorization: 'Bearer canary' },
  });
  await body.dump();
  return statusCode;
}

async function refusalOf(pool: ReturnType<typeof poolTo>): Promise<JoinError> {
  const error = await thrownBy(() => ask(pool));
  if (!isJoinError(error)) throw error;
  return error;
}

describe('a server with a certificate', () => {
  test('a server with a certificate of a trusted CA gets the request', async () => {
    const { url, requests } = await serve([leaf()]);
    expect(await ask(poolTo(url))).toBe(200);
    expect(requests).toEqual(['GET /secret Bearer canary']);
  });
  test('a server below a trusted intermediate gets the request, although its root is not trusted', async () => {
    const { url } = await serve([below(MIDDLE)]);
    expect(await ask(poolTo(url, { ca: [middle().pem] }))).toBe(200);
  });
  test('below an intermediate that it does not send gets the request if the client has the intermediate', async () => {
    const { url } = await serve([below(MIDDLE)]);
    expect(await ask(poolTo(url, { intermediates: middle().pem }))).toBe(200);
  });
  test('below a CA that is only among the intermediates gets not one byte', async () => {
    const { url, received } = await serve([strange]);
    const intermediates = issue({ subject: STRANGER, extensions: [ca(), keyUsage('keyCertSign')] }).pem;
    const error = await refusalOf(poolTo(url, { intermediates: `${middle().pem}${intermediates}` }));
    expect(error.code).toBe('E_API_CERTIFICATE_UNTRUSTED');
    expect(received).toEqual([]);
  });
  test.each<[string, Certificate[], string, RegExp]>([
    ['of a stranger', [strange], 'E_API_CERTIFICATE_UNTRUSTED', /"leaf" was issued by "stranger"/],
    ['for another host', [leaf({ extensions: [altNames('IP:127.0.0.2')] })], 'E_API_CERTIFICATE_NAME', /127\.0\.0\.2/],
    [
      'without alternative names',
      [leaf({ extensions: [] })],
      'E_API_CERTIFICATE_NAME',
      /it has no subject alternative names, and its common name leaf does not count/,
    ],
    ['of yesterday', [leaf({ notBefore: inDays(-3), notAfter: inDays(-1) })], 'E_API_CERTIFICATE_TIME', /has expired/],
  ])('a server with a certificate %s gets not one byte of the request: %s', async (_, chain, code, message) => {
    const { url, requests, received } = await serve(chain);
    const error = await refusalOf(poolTo(url));
    expect(error).toMatchObject({ code, exitCode: 12, transient: false });
    expect(error.message).toMatch(message);
    expect([requests, received]).toEqual([[], []]);
  });
  test('the certificate of a server is refused if no CA is trusted, even if Node.js has its root', async () => {
    const { url, received } = await serve([leaf()]);
    expect(await refusalOf(poolTo(url, { ca: [] }))).toMatchObject({ code: 'E_API_CERTIFICATE_UNTRUSTED' });
    expect(await refusalOf(poolTo(url, { ca: [''] }))).toMatchObject({ code: 'E_API_CERTIFICATE_UNTRUSTED' });
    expect(received).toEqual([]);
  });
  test('the certificate of a server is verified by the clock that the caller passes', async () => {
    const { url } = await serve([leaf()]);
    expect(await refusalOf(poolTo(url, { now: () => inDays(99) }))).toMatchObject({ code: 'E_API_CERTIFICATE_TIME' });
  });
});

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('with %s', (version) => {
  const limits = { minVersion: version, maxVersion: version };
  test('each connection is verified: no session of an earlier one is resumed', async () => {
    const { url, server, received } = await serve([leaf()], limits);
    const resumed: boolean[] = [];
    server.on('secureConnection', (socket: tls.TLSSocket) => resumed.push(socket.isSessionReused()));
    const connect = trustedConnector({ server: url, ca: [ROOT_PEM], now: () => new Date() });
    const pool = () => new PoolOf(url, { connections: 1, connect });
    for (let times = 0; times < 2; times++) {
      const once = pool();
      expect(await ask(once)).toBe(200);
      await once.close();
    }
    expect(resumed).toEqual([false, false]);
    received.length = 0;
    server.setSecureContext({ cert: pemOf([strange]), key, ...limits });
    const last = pool();
    open.push(() => last.destroy());
    expect(await refusalOf(last)).toMatchObject({ code: 'E_API_CERTIFICATE_UNTRUSTED' });
    expect(received).toEqual([]);
  });
});

test('a connection that resumed a session nevertheless is refused', async () => {
  const { url, received } = await serve([leaf()], { maxVersion: 'TLSv1.2' });
  const { port } = new URL(url);
  const options = { host: HOST, port: Number(port), rejectUnauthorized: false, maxVersion: 'TLSv1.2' as const };
  const first = tls.connect(options);
  await once(first, 'secureConnect');
  const session = first.getSession();
  first.destroy();
  const resuming = verifying(
    (_, callback) => {
      const socket = tls.connect({ ...options, ...(session === undefined ? {} : { session }) }, () => {
        expect(socket.isSessionReused()).toBe(true);
        callback(null, socket);
      });
    },
    { server: url, ca: [ROOT_PEM], now: () => new Date() },
  );
  const pool = new PoolOf(url, { connections: 1, connect: resuming });
  open.push(() => pool.destroy());
  expect((await refusalOf(pool)).message).toContain('it resumed a session');
  expect(received).toEqual([]);
});

test('a server that renegotiates is not followed: it could present another certificate', async () => {
  const { url, server } = await serve([leaf()], { maxVersion: 'TLSv1.2' });
  const outcome = new Promise((resolve) =>
    server.on('secureConnection', (socket: tls.TLSSocket) => {
      socket.on('error', resolve);
      setImmediate(() => socket.renegotiate({}, (error) => resolve(error ?? 'renegotiated')));
    }),
  );
  const connect = trustedConnector({ server: url, ca: [ROOT_PEM], now: () => new Date() });
  const socket = await new Promise<Socket>((resolve, reject) =>
    connect({ hostname: HOST, host: HOST, protocol: 'https:', port: new URL(url).port }, (error, connected) =>
      connected === null ? reject(error) : resolve(connected),
    ),
  );
  socket.on('error', () => undefined).resume();
  expect(await outcome).toBeInstanceOf(Error);
  socket.destroy();
});

test('the server that is asked before anything is known is not verified', async () => {
  const { url } = await serve([strange]);
  const pool = new PoolOf(url, { connections: 1, connect: unverifiedConnector(url) });
  open.push(() => pool.destroy());
  expect(await ask(pool)).toBe(200);
});

test('a chain of more than 100 certificates is refused', async () => {
  const { url } = await serve([
    leaf(),
    ...Array.from({ length: 150 }, (_, index) => issue({ subject: party(`x${index}`) })),
  ]);
  expect((await refusalOf(poolTo(url))).message).toMatch(/more than 100/);
});
