import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { download } from '../../../engine/net/download.ts';
import { proxyFor } from '../../../engine/net/proxy-rule.ts';
import { joinErrorOf } from '../../helpers/errors.ts';
import {
  certificate,
  DOCUMENT,
  document,
  listening,
  NEVER,
  other,
  redirect,
  site,
  trustOnlyOurCa,
} from '../../helpers/web-servers.ts';

const folder = trustOnlyOurCa();

describe('a proxy', () => {
  /** Notes whom it is asked for, and connects to `port` whatever that was. */
  async function proxyTo(port: number, { tls = false, status = 200 } = {}) {
    const asked: { to: string; authorization: string | undefined }[] = [];
    const server = tls ? createServer(certificate()) : createHttpServer();
    server.on('connect', (request: IncomingMessage, socket) => {
      asked.push({ to: request.url ?? '', authorization: request.headers['proxy-authorization'] });
      if (status !== 200) return void socket.end(`HTTP/1.1 ${status} No\r\n\r\n`);
      const onward = connect(port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        onward.pipe(socket).pipe(onward);
      });
      onward.on('error', () => socket.destroy());
      socket.on('error', () => onward.destroy());
    });
    return { at: `127.0.0.1:${await listening(server)}`, asked };
  }
  const portOf = (url: string): number => Number(new URL(url).port);

  test.each(['HTTPS_PROXY', 'https_proxy'])(
    'requests go through the proxy that %s names, and the proxy sees only the name of the server',
    async (variable) => {
      const { url, asked } = await site(document);
      const proxy = await proxyTo(portOf(url));
      vi.stubEnv(variable, `http://me:word@${proxy.at}`);
      expect(await download('https://files.example/cluster.conf', NEVER)).toBe(DOCUMENT);
      expect(proxy.asked).toEqual([
        { to: 'files.example:443', authorization: `Basic ${Buffer.from('me:word').toString('base64')}` },
      ]);
      expect(asked[0]?.headers['proxy-authorization']).toBeUndefined();
    },
  );

  test('a proxy may be reached by TLS if it is trusted', async () => {
    const { url } = await site(document);
    const proxy = await proxyTo(portOf(url), { tls: true });
    vi.stubEnv('HTTPS_PROXY', `https://${proxy.at}`);
    expect(await download('https://files.example/cluster.conf', NEVER)).toBe(DOCUMENT);
    vi.stubEnv('SSL_CERT_FILE', join(folder(), 'none.crt'));
    expect((await joinErrorOf(() => download('https://files.example/', NEVER))).code).toBe(
      'E_API_CERTIFICATE_UNTRUSTED',
    );
  });

  test('a proxy does not make an untrusted server trusted', async () => {
    const { url } = await site(document, certificate(other));
    vi.stubEnv('HTTPS_PROXY', (await proxyTo(portOf(url))).at);
    expect((await joinErrorOf(() => download('https://files.example/', NEVER))).code).toBe(
      'E_API_CERTIFICATE_UNTRUSTED',
    );
  });

  test('the proxy is chosen again for each redirect', async () => {
    const local = await site(document);
    const { url } = await site(redirect(local.url)); // to this machine, where no proxy is asked
    const proxy = await proxyTo(portOf(url));
    vi.stubEnv('HTTPS_PROXY', proxy.at);
    expect(await download('https://files.example/cluster.conf', NEVER)).toBe(DOCUMENT);
    expect(proxy.asked).toHaveLength(1);
  });

  test.each<[string, () => Promise<string>, object]>([
    ['refuses', async () => (await proxyTo(0, { status: 403 })).at, { code: 'E_API_UNREACHABLE' }],
    ['is not there', async () => '127.0.0.1:9', { code: 'E_API_UNREACHABLE' }],
    [
      'is not an address',
      async () => 'http://:::',
      { code: 'E_DOWNLOAD', facts: { what: 'HTTPS_PROXY is not a valid address' } },
    ],
    [
      'speaks SOCKS',
      async () => 'socks5://127.0.0.1:1',
      { facts: { what: 'HTTPS_PROXY has the unsupported scheme socks5:// (supported: http:// and https://)' } },
    ],
  ])('a proxy that %s is an error', async (_, proxy, expected) => {
    vi.stubEnv('HTTPS_PROXY', await proxy());
    expect(await joinErrorOf(() => download('https://files.example/', NEVER))).toMatchObject(expected);
  });

  const P = { HTTPS_PROXY: 'proxy:3128' };
  test.each<[string, string, NodeJS.ProcessEnv, boolean]>([
    ['no variable', 'https://a.example', {}, false],
    ['only HTTP_PROXY', 'https://a.example', { HTTP_PROXY: 'proxy:1' }, false],
    ['a proxy', 'https://a.example', P, true],
    ['this machine by name', 'https://localhost:1', P, false],
    ['this machine by address', 'https://127.9.9.9', P, false],
    ['this machine by IPv6', 'https://[::1]:1', P, false],
    ['every host', 'https://a.example', { ...P, NO_PROXY: '*' }, false],
    ['the domain', 'https://a.example', { ...P, NO_PROXY: 'b.example, A.Example' }, false],
    ['the domain above', 'https://x.a.example', { ...P, no_proxy: 'a.example' }, false],
    ['a domain that ends alike', 'https://xa.example', { ...P, NO_PROXY: 'a.example' }, true],
    ['what is below a domain', 'https://x.a.example', { ...P, NO_PROXY: '.a.example' }, false],
    ['but not the domain itself', 'https://a.example', { ...P, NO_PROXY: '.a.example' }, true],
    ['the same with a star', 'https://x.a.example', { ...P, NO_PROXY: '*.a.example' }, false],
    ['the port', 'https://a.example:6443', { ...P, NO_PROXY: 'a.example:6443' }, false],
    ['another port', 'https://a.example', { ...P, NO_PROXY: 'a.example:6443' }, true],
    ['the port of https', 'https://a.example', { ...P, NO_PROXY: 'a.example:443' }, false],
    ['an address', 'https://10.0.0.1', { ...P, NO_PROXY: '10.0.0.1' }, false],
    ['an address with a port', 'https://10.0.0.1', { ...P, NO_PROXY: '10.0.0.1:8443' }, true],
    ['a range', 'https://10.1.2.3:6443', { ...P, NO_PROXY: '10.0.0.0/8' }, false],
    ['another range', 'https://11.1.2.3', { ...P, NO_PROXY: '10.0.0.0/8' }, true],
    ['an IPv6 address', 'https://[2001:db8::1]', { ...P, NO_PROXY: '2001:db8::1' }, false],
    ['an IPv6 address with a port', 'https://[2001:db8::1]:1', { ...P, NO_PROXY: '[2001:db8::1]:1' }, false],
    ['an IPv6 range', 'https://[2001:db8::1]', { ...P, NO_PROXY: '2001:db8::/32' }, false],
    ['a range that is none', 'https://10.0.0.1', { ...P, NO_PROXY: '10.0.0.0/99,/,a/b' }, true],
    ['a name for a range of addresses', 'https://a.example', { ...P, NO_PROXY: '0.0.0.0/0' }, true],
  ])('the proxy is chosen as in Go: %s', (_, url, environment, goesThrough) => {
    expect(proxyFor(new URL(url), environment)?.href).toBe(goesThrough ? 'http://proxy:3128/' : undefined);
  });

  test('any NO_PROXY leads to a decision', () => {
    fc.assert(
      fc.property(fc.string(), (list) => {
        const found = proxyFor(new URL('https://10.0.0.1:6443'), { ...P, NO_PROXY: list });
        expect([undefined, 'http://proxy:3128/']).toContain(found?.href);
      }),
    );
  });
});
