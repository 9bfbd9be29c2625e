/** The dashboard's server, without a browser. test/packed/page.test.ts uses the page as people do. */
import { createServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { packageAssets } from '../../../bin/assets.ts';
import { serveDashboard } from '../../../bin/fleet/dashboard.ts';
import type { StatusMessage } from '../../../bin/fleet/view.ts';
import { sleep } from '../../../engine/limits/timers.ts';
import { joinErrorOf } from '../../helpers/errors.ts';
import { MemoryBoard } from '../../helpers/fleet-board.ts';
import { PROJECT } from '../../helpers/sources.ts';
import { messagesOf, site } from './site.ts';

describe('who may use the dashboard', () => {
  test('the dashboard listens on loopback only, and no server sees the secret of its link', async () => {
    const { link, secret } = await site();
    expect(link.hostname).toBe('127.0.0.1');
    expect(secret.length).toBeGreaterThan(40);
    expect(link.pathname + link.search).not.toContain(secret);
  });

  test('the secret of the dashboard is valid once', async () => {
    const { ask, secret } = await site();
    const first = await ask('session', { method: 'POST', body: secret });
    expect(first.status).toBe(204);
    expect(first.headers['set-cookie']?.[0]).toMatch(
      /^joinery=[\w-]{43}; Path=\/[\w-]{22}\/; HttpOnly; SameSite=Strict$/,
    );
    const second = await ask('session', { method: 'POST', body: secret });
    expect(second.status).toBe(401);
    expect(second.headers['set-cookie']).toBeUndefined();
  });

  test.each(['', 'x', 'a'.repeat(43)])(
    'a wrong secret opens no session, and the right one still does: "%s"',
    async (wrong) => {
      const { ask, session } = await site();
      const answer = await ask('session', { method: 'POST', body: wrong });
      expect([answer.status, answer.headers['set-cookie']]).toEqual([401, undefined]);
      expect(await session()).toContain('joinery=');
    },
  );

  test('a new link ends the validity of the earlier one', async () => {
    const { ask, dashboard, secret } = await site();
    dashboard.link();
    expect((await ask('session', { method: 'POST', body: secret })).status).toBe(401);
  });

  test.each(['status', 'run?host=node-0001', 'actions'])(
    'without a session the dashboard says nothing and does nothing: %s',
    async (path) => {
      const { ask, board } = await site();
      const method = path === 'actions' ? 'POST' : 'GET';
      for (const Cookie of ['', 'joinery=', 'joinery=undefined', `joinery=${'a'.repeat(43)}`]) {
        const body = method === 'POST' ? '{"action":"pause"}' : undefined;
        const answer = await ask(path, { method, headers: { Cookie }, body });
        expect([answer.status, answer.body]).toEqual([401, '']);
      }
      expect(board.actions).toEqual([]);
    },
  );

  test.each(['rebinding.example:80', 'localhost', '127.0.0.1', '[::1]:80'])(
    'a request to the dashboard by another name is refused, so that no name can be pointed to it: %s',
    async (Host) => {
      const { ask, session } = await site();
      const Cookie = await session();
      for (const path of ['', 'page.js', 'status'])
        expect(await ask(path, { headers: { Host, Cookie } })).toMatchObject({ status: 421, body: '' });
    },
  );

  test.each([
    ['the Origin of another site', { Origin: 'https://attacker.example' }],
    ['another port of loopback', { Origin: 'http://127.0.0.1:1' }],
    ['an opaque Origin', { Origin: 'null' }],
    ['another site', { 'Sec-Fetch-Site': 'cross-site' }],
    ['the same site, but another origin', { 'Sec-Fetch-Site': 'same-site' }],
  ])('a request of another page is refused, even with the cookie: %s', async (_, headers) => {
    const { ask, session, board } = await site();
    const Cookie = await session();
    const answer = await ask('actions', {
      method: 'POST',
      headers: { ...headers, Cookie },
      body: '{"action":"pause"}',
    });
    expect(answer.status).toBe(403);
    expect(board.actions).toEqual([]);
  });

  test('a path without the identifier of the dashboard does not exist', async () => {
    const { ask, link } = await site();
    for (const path of ['/', '/page.js', '/status', '/../etc/passwd', `${link.pathname}../../etc/passwd`])
      expect(await ask(path)).toMatchObject({ status: 404, body: '' });
  });
});

describe('what the dashboard answers', () => {
  test('the page has a strict policy, is not stored, and sends no referrer', async () => {
    const { ask } = await site();
    const { status, headers, body } = await ask('', { headers: { 'Sec-Fetch-Site': 'none' } });
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-security-policy':
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; " +
        "form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'; frame-ancestors 'none'",
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
    });
    expect(body).not.toMatch(/<script>|style=|https?:/);
  });

  test('a page that the operator opens from a link elsewhere is displayed', async () => {
    const { ask } = await site();
    expect((await ask('', { headers: { 'Sec-Fetch-Site': 'cross-site' } })).status).toBe(200);
  });

  test.each([
    [{ action: 'pause' }],
    [{ action: 'resume' }],
    [{ action: 'retry', host: 'node-0008' }],
    [{ action: 'skip', host: 'node-0020' }],
    [{ action: 'approve', host: 'node-0014', step: 'window-open' }],
    [{ action: 'deny', host: 'node-0014', step: 'window-open' }],
  ])('an action reaches the rollout: %o', async (action) => {
    const { ask, session, board } = await site();
    const Cookie = await session();
    const answer = await ask('actions', { method: 'POST', headers: { Cookie }, body: JSON.stringify(action) });
    expect(answer.status).toBe(204);
    expect(board.actions).toEqual([action]);
  });

  test.each([
    ['nothing', ''],
    ['null', 'null'],
    ['a list', '[]'],
    ['an unknown action', '{"action":"cancel"}'],
    ['no host', '{"action":"retry"}'],
    ['a host that is a number', '{"action":"retry","host":7}'],
    ['no step', '{"action":"approve","host":"node-0014"}'],
    ['more than 4 KiB', `{"action":"retry","host":"${'a'.repeat(5_000)}"}`],
    ['a megabyte', `{"action":"retry","host":"${'a'.repeat(1 << 20)}"}`],
  ])('a body that is not an action is refused: %s', async (_, body) => {
    const { ask, session, board } = await site();
    const Cookie = await session();
    expect((await ask('actions', { method: 'POST', headers: { Cookie }, body })).status).toBe(400);
    expect(board.actions).toEqual([]);
  });

  test('an action that is not JSON by its header is refused, because any page may send a form', async () => {
    const { ask, session, board } = await site();
    const headers = { Cookie: await session(), 'Content-Type': 'text/plain' };
    expect((await ask('actions', { method: 'POST', headers, body: '{"action":"pause"}' })).status).toBe(400);
    expect(board.actions).toEqual([]);
  });

  test('an action that the rollout refuses is answered with its error', async () => {
    const { ask, session } = await site();
    const headers = { Cookie: await session() };
    const answer = await ask('actions', { method: 'POST', headers, body: '{"action":"retry","host":"none"}' });
    expect(answer.status).toBe(409);
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'E_RUN_NONE', message: expect.stringContaining('none') });
  });

  test('a port that is in use is an error that names it', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void other.close());
    await new Promise((resolve) => other.on('listening', resolve));
    const { port } = other.address() as { port: number };
    const serve = () =>
      serveDashboard({ title: 'rack-a7', board: new MemoryBoard(2), assets: packageAssets(PROJECT), port });
    expect(await joinErrorOf(serve)).toMatchObject({
      code: 'E_FLEET_PORT',
      message: expect.stringContaining(`127.0.0.1:${port}`),
    });
  });
});

describe('the streams of the dashboard', () => {
  const statusStream = async (hosts?: number) => {
    const { open, session, board } = await site(hosts);
    const stream = await open('status', { headers: { Cookie: await session() } });
    const messages = messagesOf(stream) as AsyncGenerator<StatusMessage>;
    return { board, next: async () => (await messages.next()).value as StatusMessage };
  };

  test('a status stream begins with the whole status', async () => {
    const { board, next } = await statusStream();
    expect(await next()).toEqual({ isPart: false, status: board.status() });
  });

  test('after any number of changes, a status stream has the hosts that have changed, once', async () => {
    const { board, next } = await statusStream(1_000);
    await next();
    for (const state of ['joining', 'failed', 'joined'] as const) board.changeHost('node-0900', { state });
    board.changeHost('node-0901', { state: 'joining' });
    const { isPart, status } = await next();
    expect(isPart).toBe(true);
    expect(status.hosts.map(({ name, state }) => [name, state])).toEqual([
      ['node-0900', 'joined'],
      ['node-0901', 'joining'],
    ]);
  });

  test('a browser that does not read is disconnected, so that its messages do not fill the memory', async () => {
    const { open, session, board } = await site(4_000);
    const stream = await open('status', { headers: { Cookie: await session() } });
    const { hosts } = board.status();
    for (let round = 0; round < 20; round++) {
      board.change({ hosts: hosts.map((host) => ({ ...host, attempts: round })) });
      await sleep(210);
    }
    const readAll = async () => {
      for await (const _ of stream as AsyncIterable<Buffer>);
    };
    await expect(readAll()).rejects.toThrow('aborted');
  });

  test('the stream of a host has its run, and again after each new event', async () => {
    const { open, session, board } = await site();
    const stream = await open('run?host=node-0014', { headers: { Cookie: await session() } });
    const messages = messagesOf(stream);
    expect((await messages.next()).value).toMatchObject({ machine: 'node-0014', state: 'running' });
    const [first] = board.eventsOf('node-0014');
    if (first === undefined) throw new Error('the host has no event');
    board.addEvent('node-0014', { ...first, seq: 99, type: 'step.log', step: 'preflight', level: 'info', text: 'new' });
    expect((await messages.next()).value).toMatchObject({
      lines: expect.arrayContaining([expect.objectContaining({ text: 'new', step: 'preflight' })]),
    });
  });
});
