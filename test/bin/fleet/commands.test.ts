/** `join fleet ui` and `join fleet status --output html`, and what the operator keeps for them. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Report, StatusMessage } from '../../../bin/fleet/view.ts';
import { Concurrency } from '../../../engine/fleet/concurrency.ts';
import { FailedRuns, failedRun } from '../../../engine/fleet/failed-runs.ts';
import { LiveBoard } from '../../../engine/fleet/live-board.ts';
import { openOperatorSocket } from '../../../engine/fleet/operator-socket.ts';
import type { HostStatus } from '../../../engine/fleet/status.ts';
import { fail } from '../../../engine/sdk/index.ts';
import { MemoryBoard } from '../../helpers/fleet-board.ts';
import { start } from '../cli.ts';
import { messagesOf, site } from './site.ts';

/** A state folder with the fleet `rack-a7`. */
async function state() {
  const home = await mkdtemp(join(tmpdir(), 'fleet-'));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  const folder = join(home, 'joinery/fleet/rack-a7');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const fleet = (...words: string[]) => start(['fleet', ...words], { XDG_STATE_HOME: home }).outcome;
  return { folder, fleet };
}

const operator = async (folder: string, link: () => Promise<string>) => {
  const board = new LiveBoard(new Concurrency(1), async () => undefined);
  const socket = await openOperatorSocket(folder, 'rack-a7', { board, link });
  onTestFinished(() => socket.close());
};

describe('join fleet ui', () => {
  test('the operator gives a new link, which is all that the command prints', async () => {
    const { folder, fleet } = await state();
    await operator(folder, async () => 'http://127.0.0.1:1/x/#y');
    expect(await fleet('ui')).toMatchObject({ code: 0, stdout: 'http://127.0.0.1:1/x/#y\n' });
  });

  test('a dashboard that cannot be served is the error of the command', async () => {
    const { folder, fleet } = await state();
    await operator(folder, async () => {
      throw fail('E_FLEET_PORT', { address: '127.0.0.1:80', what: 'permission denied' });
    });
    const { code, stderr } = await fleet('ui');
    expect(stderr).toContain('E_FLEET_PORT: the dashboard cannot listen on 127.0.0.1:80: permission denied');
    expect(code).toBe(2);
  });

  test('without an operator there is nothing to display, and the error says how to start one', async () => {
    const { fleet } = await state();
    const { stdout, stderr } = await fleet('ui');
    expect(stdout).toBe('');
    expect(stderr).toMatch(/E_FLEET_OPERATOR[\s\S]*join fleet run/);
  });
});

describe('join fleet status --output html', () => {
  test('the page of a rollout has its hosts and the runs of failed hosts, also when no operator runs', async () => {
    const { folder, fleet } = await state();
    const board = new MemoryBoard(40);
    writeFileSync(join(folder, 'status.json'), JSON.stringify(board.status()));
    new FailedRuns(folder).update(board);
    const { stdout, code } = await fleet('status', '-o', 'html');
    expect(code).toBe(0);
    const data = /<script type="application\/json" id="report">([\s\S]*?)<\/script>/.exec(stdout)?.[1] ?? '';
    expect(JSON.parse(data) as Report).toMatchObject({
      status: { fleet: 'rack-a7', hosts: expect.objectContaining({ length: 40 }) },
      runs: { 'node-0013': { steps: expect.arrayContaining([expect.objectContaining({ id: 'discovery' })]) } },
    });
  });
});

describe('the runs of failed hosts', () => {
  const hostOf = (board: MemoryBoard, name: string): HostStatus => {
    const host = board.status().hosts.find((each) => each.name === name);
    if (host === undefined) throw new Error(`no host ${name}`);
    return host;
  };

  test('they are kept when the next operator, which has not seen them, writes the file', async () => {
    const { folder } = await state();
    const board = new MemoryBoard(40);
    new FailedRuns(folder).update(board);
    new FailedRuns(folder).update({ status: board.status, eventsOf: () => [] });
    expect(failedRun(folder, hostOf(board, 'node-0013'))).toEqual(board.eventsOf('node-0013'));
    expect((await stat(join(folder, 'failed-runs.json'))).mode & 0o777).toBe(0o600);
  });

  test('those of an earlier run, and those of hosts that have joined since, are not', async () => {
    const { folder } = await state();
    const board = new MemoryBoard(40);
    new FailedRuns(folder).update(board);
    const host = hostOf(board, 'node-0013');
    expect(failedRun(folder, { ...host, run: 'another' })).toEqual([]);
    board.changeHost('node-0013', { state: 'joined' });
    new FailedRuns(folder).update(board);
    expect(failedRun(folder, host)).toEqual([]);
  });
});

test('a dashboard that is opened before the rollout is known gets the whole status as soon as it is', async () => {
  const { board, open, session } = await site();
  board.isKnown = false;
  const messages = messagesOf(await open('status', { headers: { Cookie: await session() } }));
  board.change({});
  board.isKnown = true;
  board.changeHost('node-0001', { state: 'failed' });
  const { isPart, status } = (await messages.next()).value as StatusMessage;
  expect([isPart, status.hosts.length]).toEqual([false, 20]);
});
