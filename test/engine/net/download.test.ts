/** What a machine fetches from the web, from real servers: whom it believes, where it goes, and what it refuses. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer } from 'node:https';
import { type AddressInfo, connect, createServer as createTcpServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { Transport } from '../../../engine/kube/request.ts';
import { download } from '../../../engine/net/download.ts';
import { proxyFor } from '../../../engine/net/proxy.ts';
import { systemRoots } from '../../../engine/net/roots.ts';
import { createCa, issueKeyPair } from '../../../plugins/sandbox/certificates.ts';
import { joinErrorOf, shownOf } from '../../helpers/errors.ts';

const NOW = new Date();
const ca = createCa(NOW);
const other = createCa(NOW);
const certificate = (from = ca, names = ['127.0.0.1', 'localhost', 'files.example']) =>
  issueKeyPair(from, NOW, { commonName: 'files', organizations: [] }, 'server', names);
const NEVER = new AbortController().signal;
const DOCUMENT = 'kind: Config\n';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'joinery-download-'));
  writeFileSync(join(folder, 'ca.crt'), ca.cert);
  for (const name of ['HTTPS_PROXY', 'https_proxy', 'NO_PROXY', 'no_proxy', 'ALL_PROXY', 'HTTP_PROXY'])
    vi.stubEnv(name, '');
  vi.stubEnv('SSL_CERT_FILE', join(folder, 'ca.crt'));
  vi.stubEnv('SSL_CERT_DIR', join(folder, 'none'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

async function listening(server: Server): Promise<number> {
  const sockets = new Set<{ destroy(): void }>();
  server.on('connection', (socket) => sockets.add(socket));
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

/** An HTTPS server of the web; gives its address and what it was asked. */
async function site(answer: RequestListener, pair = certificate()) {
  const asked: IncomingMessage[] = [];
  const server = createServer(pair, (request, response) => {
    asked.push(request);
    answer(request, response);
  });
  return { url: `https://127.0.0.1:${await listening(server)}/cluster.conf`, asked };
}
const document: RequestListener = (_, response) => void response.end(DOCUMENT);
const redirect =
  (location: string, status = 302): RequestListener =>
  (_, response) =>
    void response.writeHead(status, { location }).end();

describe('a document from the web', () => {
  test('is what the server gives, asked for without credentials', async () => {
    const { url, asked } = await site(document);
    expect(await download(`${url}?a=b`, NEVER)).toBe(DOCUMENT);
    expect(asked.map(({ method, url: path }) => [method, path])).toEqual([['GET', '/cluster.conf?a=b']]);
    expect(Object.keys(asked[0]?.headers ?? {}).sort()).toEqual(['accept', 'connection', 'host', 'user-agent']);
  });

  test('may lie behind redirects to other hosts by https, relative ones among them, and no header goes along but the same', async () => {
    const last = await site(document);
    const middle = await site((request, response) =>
      request.url === '/there' ? redirect(last.url, 307)(request, response) : redirect('/there')(request, response),
    );
    const first = await site(redirect(middle.url, 301));
    expect(await download(first.url, NEVER)).toBe(DOCUMENT);
    expect(middle.asked.map(({ url }) => url)).toEqual(['/cluster.conf', '/there']);
    expect(last.asked[0]?.headers.authorization).toBeUndefined();
  });

  test('is not had from a server that a CA of nobody here has signed for, nor by NODE_TLS_REJECT_UNAUTHORIZED', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    const { url, asked } = await site(document, certificate(other));
    expect(await joinErrorOf(() => download(url, NEVER))).toMatchObject({
      code: 'E_API_CERTIFICATE_UNTRUSTED',
      exitCode: 12,
    });
    expect(asked).toEqual([]);
  });

  test('is not had where a redirect leads to a server that is not trusted', async () => {
    const stranger = await site(document, certificate(other));
    const { url } = await site(redirect(stranger.url));
    expect((await joinErrorOf(() => download(url, NEVER))).code).toBe('E_API_CERTIFICATE_UNTRUSTED');
    expect(stranger.asked).toEqual([]);
  });

  test('is not had from a server whose certificate is for another name', async () => {
    const { url, asked } = await site(document, certificate(ca, ['elsewhere.example']));
    expect(await joinErrorOf(() => download(url, NEVER))).toMatchObject({
      code: 'E_API_CERTIFICATE_NAME',
      facts: { names: 'DNS:elsewhere.example' },
    });
    expect(asked).toEqual([]);
  });

  test('is never looked for by http, whoever says that it is there', async () => {
    const plain = createHttpServer(document);
    const http = `http://127.0.0.1:${await listening(plain)}/x`;
    let asked = 0;
    plain.on('request', () => void asked++);
    const { url } = await site(redirect(http));
    for (const given of [http, url])
      expect(await joinErrorOf(() => download(given, NEVER))).toMatchObject({
        code: 'E_DOWNLOAD',
        facts: { url: http, what: 'it leads to an address that is not https' },
        exitCode: 5,
      });
    expect(asked).toBe(0);
  });

  test.each(['file:///etc/shadow', 'data:text/plain,x', 'ftp://x/y'])(
    'is not had by %s behind a redirect',
    async (to) => {
      const { url } = await site(redirect(to));
      expect(await joinErrorOf(() => download(url, NEVER))).toMatchObject({ code: 'E_DOWNLOAD' });
    },
  );

  test('is not had with a password in the address, which is not shown either', async () => {
    const { url, asked } = await site(document);
    const withPassword = url.replace('https://', 'https://me:canary-password@');
    const { url: leading } = await site(redirect(withPassword));
    for (const given of [withPassword, leading]) {
      const error = await joinErrorOf(() => download(given, NEVER));
      expect(error).toMatchObject({
        code: 'E_DOWNLOAD',
        facts: { what: 'a password in an address is seen by everybody' },
      });
      expect(shownOf(error)).not.toContain('canary-password');
    }
    expect(asked).toEqual([]);
  });

  test('is not had where redirects go round, and what stands behind the question mark is not told', async () => {
    const round = await site((request, response) => redirect(String(request.url))(request, response));
    const error = await joinErrorOf(() => download(`${round.url}?signature=canary`, NEVER));
    expect(error).toMatchObject({ code: 'E_DOWNLOAD', facts: { url: round.url, what: 'more than 10 redirects' } });
    expect(round.asked).toHaveLength(11);
    expect(shownOf(error)).not.toContain('canary');
  });

  test.each<[string, RequestListener, object]>([
    ['204', (_, r) => void r.writeHead(204).end(), { code: 'E_DOWNLOAD', facts: { what: 'the server answered 204' } }],
    ['a redirect to nowhere', (_, r) => void r.writeHead(302).end('x'), { facts: { what: 'the server answered 302' } }],
    [
      '401',
      (_, r) => void r.writeHead(401).end('<html>'),
      { facts: { what: 'the server answered 401' }, transient: false },
    ],
    ['404', (_, r) => void r.writeHead(404).end(DOCUMENT), { facts: { what: 'the server answered 404' }, exitCode: 5 }],
    ['429', (_, r) => void r.writeHead(429).end(), { code: 'E_API_UNAVAILABLE', transient: true }],
    ['503', (_, r) => void r.writeHead(503).end(), { code: 'E_API_UNAVAILABLE', transient: true }],
    [
      'more than a mebibyte',
      (_, r) => void r.end('x'.repeat((1 << 20) + 1)),
      { code: 'E_DOWNLOAD', facts: { what: 'it is larger than 1048576 bytes' } },
    ],
    [
      'half an answer',
      (_, r) => void r.writeHead(200, { 'content-length': 100 }).write('x', () => r.destroy()),
      { transient: true },
    ],
  ])('is not %s', async (_, answer, expected) => {
    const { url } = await site(answer);
    expect(await joinErrorOf(() => download(url, NEVER))).toMatchObject(expected);
  });

  test('an end of a body without end is not waited for', async () => {
    let open = true;
    const { url } = await site((_, response) => {
      const more = () => void (open && response.write('x'.repeat(100_000), more));
      response.on('close', () => {
        open = false;
      });
      more();
    });
    expect((await joinErrorOf(() => download(url, NEVER))).code).toBe('E_DOWNLOAD');
    await vi.waitFor(() => expect(open).toBe(false));
  });

  test('is not waited for any more once one is told to stop, not even while connecting', async () => {
    const silent = `https://127.0.0.1:${await listening(createTcpServer())}/`;
    const { url: slow } = await site(() => undefined);
    for (const url of [silent, slow]) {
      const stop = new AbortController();
      const from = performance.now();
      const loading = download(url, stop.signal);
      setTimeout(() => stop.abort(new Error('told to stop')), 50);
      await expect(loading).rejects.toThrow('told to stop');
      expect(performance.now() - from).toBeLessThan(1_000);
    }
  });

  test('a server that is not there, and one that speaks no TLS, are told as such', async () => {
    const plain = await listening(createHttpServer(document));
    expect((await joinErrorOf(() => download(`https://127.0.0.1:${plain}/`, NEVER))).code).toBe('E_API_ANSWER');
    expect(await joinErrorOf(() => download('https://127.0.0.1:9/', NEVER))).toMatchObject({
      code: 'E_API_UNREACHABLE',
      transient: true,
    });
  });
});

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
    'that %s names is gone through, and sees no more than the name',
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

  test('may be spoken to by TLS, if it is trusted', async () => {
    const { url } = await site(document);
    const proxy = await proxyTo(portOf(url), { tls: true });
    vi.stubEnv('HTTPS_PROXY', `https://${proxy.at}`);
    expect(await download('https://files.example/cluster.conf', NEVER)).toBe(DOCUMENT);
    vi.stubEnv('SSL_CERT_FILE', join(folder, 'none.crt'));
    expect((await joinErrorOf(() => download('https://files.example/', NEVER))).code).toBe(
      'E_API_CERTIFICATE_UNTRUSTED',
    );
  });

  test('does not make a server trusted that is not', async () => {
    const { url } = await site(document, certificate(other));
    vi.stubEnv('HTTPS_PROXY', (await proxyTo(portOf(url))).at);
    expect((await joinErrorOf(() => download('https://files.example/', NEVER))).code).toBe(
      'E_API_CERTIFICATE_UNTRUSTED',
    );
  });

  test('is asked anew for each redirect', async () => {
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
      'is no address',
      async () => 'http://:::',
      { code: 'E_DOWNLOAD', facts: { what: 'HTTPS_PROXY holds no address' } },
    ],
    [
      'speaks SOCKS',
      async () => 'socks5://127.0.0.1:1',
      { facts: { what: 'HTTPS_PROXY names a proxy by socks5://, and only http:// and https:// are known here' } },
    ],
  ])('that %s is told', async (_, proxy, expected) => {
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
  ])('as Go has it: %s', (_, url, environment, goesThrough) => {
    expect(proxyFor(new URL(url), environment)?.href).toBe(goesThrough ? 'http://proxy:3128/' : undefined);
  });

  test('whatever NO_PROXY holds, an answer is given', () => {
    fc.assert(
      fc.property(fc.string(), (list) => {
        const found = proxyFor(new URL('https://10.0.0.1:6443'), { ...P, NO_PROXY: list });
        expect([undefined, 'http://proxy:3128/']).toContain(found?.href);
      }),
    );
  });
});

describe('what this machine trusts by itself', () => {
  const put = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };

  test('is the file of SSL_CERT_FILE, and all that lies in the directories of SSL_CERT_DIR', async () => {
    const [a, b] = [mkdtempSync(join(folder, 'a-')), mkdtempSync(join(folder, 'b-'))];
    writeFileSync(join(a, 'one.pem'), ca.cert);
    writeFileSync(join(a, 'readme'), 'no certificate');
    symlinkSync('one.pem', join(a, '12345678.0')); // as OpenSSL has it, for the same certificate
    writeFileSync(join(b, 'two.crt'), other.cert);
    const file = put('bundle.crt', `${ca.cert}${other.cert}`);
    expect(await systemRoots({ SSL_CERT_FILE: file, SSL_CERT_DIR: `${a}:${b}:${folder}/none` })).toEqual([
      `${ca.cert}${other.cert}`,
      ca.cert,
      other.cert,
    ]);
    expect(await systemRoots({ SSL_CERT_FILE: join(folder, 'none'), SSL_CERT_DIR: b })).toEqual([other.cert]);
  });

  test('is nobody where both variables lead nowhere: not those whom Node would trust', async () => {
    const nowhere = { SSL_CERT_FILE: join(folder, 'none'), SSL_CERT_DIR: join(folder, 'none') };
    expect(await systemRoots(nowhere)).toEqual([]);
    const { url, asked } = await site(document);
    vi.stubEnv('SSL_CERT_FILE', nowhere.SSL_CERT_FILE);
    expect((await joinErrorOf(() => download(url, NEVER))).code).toBe('E_API_CERTIFICATE_UNTRUSTED');
    expect(asked).toEqual([]);
  });

  test('without the variables is what the operating system has, and SSL_CERT_FILE alone leaves its directories', async () => {
    const system = (await systemRoots({})).join('\n');
    const beside = await systemRoots({ SSL_CERT_FILE: join(folder, 'ca.crt') });
    expect(beside[0]).toBe(ca.cert);
    expect(system.includes('BEGIN CERTIFICATE')).toBe(beside.length > 1);
  });

  test('a CA bundle without a text makes no API server trusted', async () => {
    const transport = new Transport(() => NOW);
    onTestFinished(() => transport.close());
    const { url } = await site(document);
    const server = url.replace(/\/[^/]*$/, '');
    const request = {
      server,
      as: { ca: '' },
      method: 'GET',
      ref: undefined,
      path: '/',
      query: {},
      body: undefined,
    } as const;
    expect((await joinErrorOf(() => transport.send(request, NEVER))).code).toBe('E_API_CERTIFICATE_UNTRUSTED');
  });
});
