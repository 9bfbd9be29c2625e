import { getEventListeners } from 'node:events';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { describe, expect, test, vi } from 'vitest';
import { download } from '../../../engine/net/download.ts';
import { joinErrorOf, printedForms } from '../../helpers/errors.ts';
import {
  ca,
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

trustOnlyOurCa();

describe('a document from the web', () => {
  test('a download returns the document, requested without credentials', async () => {
    const { url, asked } = await site(document);
    expect(await download(`${url}?a=b`, NEVER)).toBe(DOCUMENT);
    expect(asked.map(({ method, url: path }) => [method, path])).toEqual([['GET', '/cluster.conf?a=b']]);
    expect(Object.keys(asked[0]?.headers ?? {}).sort()).toEqual(['accept', 'connection', 'host', 'user-agent']);
  });

  test('a download follows https redirects to other hosts, relative ones too, with the same headers', async () => {
    const last = await site(document);
    const middle = await site((request, response) =>
      request.url === '/there' ? redirect(last.url, 307)(request, response) : redirect('/there')(request, response),
    );
    const first = await site(redirect(middle.url, 301));
    expect(await download(first.url, NEVER)).toBe(DOCUMENT);
    expect(middle.asked.map(({ url }) => url)).toEqual(['/cluster.conf', '/there']);
    expect(last.asked[0]?.headers.authorization).toBeUndefined();
  });

  test('a download fails from a server with an unknown CA, also with NODE_TLS_REJECT_UNAUTHORIZED=0', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    const { url, asked } = await site(document, certificate(other));
    expect(await joinErrorOf(() => download(url, NEVER))).toMatchObject({
      code: 'E_API_CERTIFICATE_UNTRUSTED',
      exitCode: 12,
    });
    expect(asked).toEqual([]);
  });

  test('a download fails if a redirect leads to a server that is not trusted', async () => {
    const stranger = await site(document, certificate(other));
    const { url } = await site(redirect(stranger.url));
    expect((await joinErrorOf(() => download(url, NEVER))).code).toBe('E_API_CERTIFICATE_UNTRUSTED');
    expect(stranger.asked).toEqual([]);
  });

  test('a download fails if the certificate is for another name', async () => {
    const { url, asked } = await site(document, certificate(ca, ['elsewhere.example']));
    expect(await joinErrorOf(() => download(url, NEVER))).toMatchObject({
      code: 'E_API_CERTIFICATE_NAME',
      facts: { names: 'DNS:elsewhere.example' },
    });
    expect(asked).toEqual([]);
  });

  test('a download never uses http, not even after a redirect', async () => {
    const plain = createHttpServer(document);
    const http = `http://127.0.0.1:${await listening(plain)}/x`;
    let asked = 0;
    plain.on('request', () => void asked++);
    const { url } = await site(redirect(http));
    for (const address of [http, url])
      expect(await joinErrorOf(() => download(address, NEVER))).toMatchObject({
        code: 'E_DOWNLOAD',
        facts: { url: http, what: 'it leads to an address that is not https' },
        exitCode: 5,
      });
    expect(asked).toBe(0);
  });

  test.each(['file:///etc/shadow', 'data:text/plain,x', 'ftp://x/y'])(
    'a download does not follow a redirect to %s',
    async (to) => {
      const { url } = await site(redirect(to));
      expect(await joinErrorOf(() => download(url, NEVER))).toMatchObject({ code: 'E_DOWNLOAD' });
    },
  );

  test('a download refuses a password in the address, and does not show it', async () => {
    const { url, asked } = await site(document);
    const withPassword = url.replace('https://', 'https://me:canary-password@');
    const { url: leading } = await site(redirect(withPassword));
    for (const address of [withPassword, leading]) {
      const error = await joinErrorOf(() => download(address, NEVER));
      expect(error).toMatchObject({
        code: 'E_DOWNLOAD',
        facts: { what: 'a password in an address is visible to every user of the machine' },
      });
      expect(printedForms(error)).not.toContain('canary-password');
    }
    expect(asked).toEqual([]);
  });

  test('a download stops at a cycle of redirects, and its error omits the query', async () => {
    const round = await site((request, response) => redirect(String(request.url))(request, response));
    const error = await joinErrorOf(() => download(`${round.url}?signature=canary`, NEVER));
    expect(error).toMatchObject({ code: 'E_DOWNLOAD', facts: { url: round.url, what: 'more than 10 redirects' } });
    expect(round.asked).toHaveLength(11);
    expect(printedForms(error)).not.toContain('canary');
  });

  test('a download leaves no listener on the signal of its caller', async () => {
    const { signal } = new AbortController();
    const end = await site((_, response) => void response.writeHead(404).end('x'));
    const { url } = await site(redirect(end.url));
    await joinErrorOf(() => download(url, signal));
    await vi.waitFor(() => expect(getEventListeners(signal, 'abort')).toEqual([]));
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
  ])('a download is not %s', async (_, answer, expected) => {
    const { url } = await site(answer);
    expect(await joinErrorOf(() => download(url, NEVER))).toMatchObject(expected);
  });

  test('a download does not wait for a body without end', async () => {
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

  test('a download ends when it is aborted, also while it connects', async () => {
    const silent = `https://127.0.0.1:${await listening(createTcpServer())}/`;
    const { url: slow } = await site(() => undefined);
    for (const url of [silent, slow]) {
      const stop = new AbortController();
      const from = performance.now();
      const loading = download(url, stop.signal);
      setTimeout(() => stop.abort(new Error('stopped')), 50);
      await expect(loading).rejects.toThrow('stopped');
      expect(performance.now() - from).toBeLessThan(1_000);
    }
  });

  test('a missing server and a server without TLS are different errors', async () => {
    const plain = await listening(createHttpServer(document));
    expect((await joinErrorOf(() => download(`https://127.0.0.1:${plain}/`, NEVER))).code).toBe('E_API_ANSWER');
    expect(await joinErrorOf(() => download('https://127.0.0.1:9/', NEVER))).toMatchObject({
      code: 'E_API_UNREACHABLE',
      transient: true,
    });
  });
});
