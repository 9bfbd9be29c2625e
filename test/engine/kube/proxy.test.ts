import { createServer, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Transport } from '../../../engine/kube/request.ts';
import { nodeRef } from '../../../engine/node/index.ts';
import type { ApiRequest } from '../../../engine/sdk/api.ts';
import { Secret } from '../../../engine/sdk/index.ts';
import { type Sandbox, startSandbox } from '../../../plugins/sandbox/index.ts';
import { joinErrorOf } from '../../helpers/errors.ts';
import { listening } from '../../helpers/web-servers.ts';
import { admin } from '../../plugins/sandbox/client.ts';

/** The certificate is for this name, and it is not the name `localhost`, which is never proxied. */
const NAME = 'https://localhost.:6443';
const NEVER = new AbortController().signal;
let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox();
});
afterAll(() => sandbox.close());

/** A proxy that leads to the sandbox wherever it is asked to lead, or refuses. */
async function proxyTo({ status = 200 } = {}) {
  const asked: string[] = [];
  const server = createServer();
  server.on('connect', (request: IncomingMessage, socket) => {
    asked.push(request.url ?? '');
    if (status !== 200) return void socket.end(`HTTP/1.1 ${status} No\r\n\r\n`);
    const [host = '', port] = sandbox.endpoint.split(':');
    const onward = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      onward.pipe(socket).pipe(onward);
    });
    onward.on('error', () => socket.destroy());
    socket.on('error', () => onward.destroy()).on('close', () => onward.destroy());
  });
  return { at: `127.0.0.1:${await listening(server)}`, asked };
}

const requestTo = (server: string): ApiRequest => {
  const { cert, key } = admin(sandbox);
  const as = { server, ca: sandbox.caPem, certificate: { pem: cert, key: new Secret(key) } };
  return { server, as, method: 'GET', ref: nodeRef('w1'), path: '/api/v1/nodes', query: {}, body: undefined };
};

async function sendTo(server: string, overrides: Partial<ApiRequest> = {}) {
  const transport = new Transport(() => new Date());
  try {
    return await transport.send({ ...requestTo(server), ...overrides }, NEVER);
  } finally {
    await transport.close();
  }
}

describe('requests to an API server that is reached through HTTPS_PROXY', () => {
  test('requests to an API server go through HTTPS_PROXY, with the certificate of the client', async () => {
    const proxy = await proxyTo();
    vi.stubEnv('HTTPS_PROXY', proxy.at);
    expect((await sendTo(NAME)).status).toBe(200);
    expect(proxy.asked).toEqual(['localhost.:6443']);
  });

  test('requests that are sent before anything is known of the server go through HTTPS_PROXY too', async () => {
    const proxy = await proxyTo();
    vi.stubEnv('HTTPS_PROXY', proxy.at);
    const path = '/api/v1/namespaces/kube-public/configmaps/cluster-info';
    expect((await sendTo(NAME, { as: 'unverified', path })).status).toBe(200);
    expect(proxy.asked).toHaveLength(1);
  });

  test('requests through HTTPS_PROXY still verify the server', async () => {
    vi.stubEnv('HTTPS_PROXY', (await proxyTo()).at);
    const error = await joinErrorOf(() => sendTo('https://api.elsewhere.example:6443'));
    expect(error.code).toBe('E_API_CERTIFICATE_NAME');
  });

  test('requests to an API server connect directly if NO_PROXY names the network of the server', async () => {
    const proxy = await proxyTo();
    vi.stubEnv('HTTPS_PROXY', proxy.at);
    vi.stubEnv('NO_PROXY', '127.0.0.0/8');
    await sendTo(`https://${sandbox.endpoint}`);
    expect(proxy.asked).toEqual([]);
  });

  test.each<[string, () => Promise<string>, string, string]>([
    [
      'refuses',
      async () => (await proxyTo({ status: 403 })).at,
      'E_API_UNREACHABLE',
      'the proxy refused the connection with HTTP 403',
    ],
    ['does not answer', async () => '127.0.0.1:9', 'E_API_UNREACHABLE', 'of HTTPS_PROXY)'],
    ['is not an address', async () => 'http://:::', 'E_PROXY', 'HTTPS_PROXY is not a valid address'],
    ['speaks SOCKS', async () => 'socks5://127.0.0.1:1', 'E_PROXY', 'HTTPS_PROXY has the unsupported scheme socks5://'],
  ])(
    'requests to an API server fail with an error that names HTTPS_PROXY if the proxy %s',
    async (_, proxy, code, text) => {
      vi.stubEnv('HTTPS_PROXY', await proxy());
      const error = await joinErrorOf(() => sendTo('https://10.255.0.1:6443'));
      expect([error.code, error.message]).toEqual([code, expect.stringContaining(text)]);
      expect(error.message).toContain('HTTPS_PROXY');
    },
  );
});
