/** The dashboard and the reports in a real browser, over a rollout in memory. */
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { packageAssets } from '../../bin/assets.ts';
import { rolloutReport, runReport } from '../../bin/fleet/reports.ts';
import { MemoryBoard } from '../helpers/fleet-board.ts';
import { PROJECT } from '../helpers/sources.ts';
import { openDashboard, openPage } from './browser.ts';

/** Of 40 hosts: */
const FAILED = 'node-0013';
const ASKING = 'node-0027';
const WAITING = 'node-0040';

describe('the link of the dashboard', () => {
  test('the secret leaves the address of the page, which scripts cannot find in a cookie', async () => {
    const { page, link } = await openDashboard();
    expect(page.url()).toBe(link.slice(0, link.indexOf('#')));
    expect(await page.evaluate('document.cookie')).toBe('');
    await page.reload();
    await page.locator('.cell').first().waitFor();
  });

  test('a second browser gets nothing from a link that was used, except how to get another', async () => {
    const { link } = await openDashboard();
    const other = await openPage({ ignored: /401/ });
    await other.goto(link);
    await other.getByText('This link has been used or replaced. For a new one, run: join fleet ui').waitFor();
    expect(await other.locator('.cell').count()).toBe(0);
  });

  test('a page whose process has ended says so, and keeps what it knew', async () => {
    const { page, dashboard } = await openDashboard(40, { ignored: /ERR_|Failed to load/ });
    await dashboard.close();
    await page.getByText('The connection is lost').waitFor();
    expect(await page.locator('.cell').count()).toBe(40);
  });
});

describe('an action of the dashboard', () => {
  test('Pause and Resume', async () => {
    const { page, board } = await openDashboard();
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByText('paused by the operator').waitFor();
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.getByRole('button', { name: 'Pause' }).waitFor();
    expect(board.actions).toEqual([{ action: 'pause' }, { action: 'resume' }]);
  });

  test('Retry of a failed host', async () => {
    const { page, board } = await openDashboard();
    await page.getByRole('option', { name: `${FAILED}: failed` }).click();
    await page.getByRole('complementary').getByRole('button', { name: 'Retry' }).click();
    await page.getByRole('option', { name: `${FAILED}: joining` }).waitFor();
    expect(board.actions).toEqual([{ action: 'retry', host: FAILED }]);
  });

  test('Retry of all hosts with the same error', async () => {
    const { page, board } = await openDashboard(200);
    const failed = board.status().hosts.filter(({ error }) => error?.code === 'E_API_UNREACHABLE');
    expect(failed.length).toBeGreaterThan(1);
    const group = page.getByRole('article', { name: 'E_API_UNREACHABLE' });
    await group.getByRole('button', { name: `Retry all ${failed.length}` }).click();
    await expect.poll(() => board.actions.length).toBe(failed.length);
    expect(board.actions).toEqual(expect.arrayContaining(failed.map(({ name }) => ({ action: 'retry', host: name }))));
  });

  test('Skip of a host, after a confirmation', async () => {
    const { page, board } = await openDashboard();
    await page.getByRole('option', { name: `${WAITING}: waiting` }).click();
    await page.getByRole('button', { name: 'Skip' }).click();
    await page.getByText(`Skip ${WAITING}? The rollout continues without it.`).waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Skip' }).click();
    expect(board.actions).toEqual([]);
    await page.getByRole('dialog').getByRole('button', { name: 'Skip' }).click();
    await page.getByRole('option', { name: `${WAITING}: skipped` }).waitFor();
    expect(board.actions).toEqual([{ action: 'skip', host: WAITING }]);
  });

  test('Approve of a step that waits for an approval', async () => {
    const { page, board } = await openDashboard();
    await page.getByRole('option', { name: 'waits for your approval' }).click();
    await page.getByRole('complementary').getByText('Is the maintenance window open?').waitFor();
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByRole('button', { name: 'Approve' }).waitFor({ state: 'detached' });
    expect(board.actions).toEqual([{ action: 'approve', host: ASKING, step: 'window-open' }]);
  });

  test('Deny of a step that waits for an approval, after a confirmation', async () => {
    const { page, board } = await openDashboard();
    await page.getByRole('option', { name: 'waits for your approval' }).click();
    await page.getByRole('button', { name: 'Deny' }).click();
    expect(board.actions).toEqual([]);
    await page.getByRole('dialog').getByRole('button', { name: 'Deny' }).click();
    await expect.poll(() => board.actions).toEqual([{ action: 'deny', host: ASKING, step: 'window-open' }]);
  });

  test('an action that the rollout refuses leaves its error on the page', async () => {
    const { page, board } = await openDashboard(40, { ignored: /409/ });
    await page.getByRole('option', { name: `${FAILED}: failed` }).click();
    board.refuse('the rollout is over');
    await page.getByRole('complementary').getByRole('button', { name: 'Retry' }).click();
    await page.getByRole('alert').getByText('the rollout is over').waitFor();
  });
});

describe('a dashboard that is open', () => {
  test('the page follows the rollout: states, numbers, steps and log', async () => {
    const { page, board } = await openDashboard();
    await page.getByRole('option', { name: `${ASKING}: joining` }).click();
    const [first] = board.eventsOf(ASKING);
    if (first === undefined) throw new Error('the host has no event');
    board.addEvent(ASKING, {
      ...first,
      seq: 99,
      type: 'step.log',
      step: 'discovery',
      level: 'warn',
      text: '<b>new</b>',
    });
    await page.getByRole('log').getByText('<b>new</b>').waitFor();
    board.changeHost(WAITING, { state: 'joined' });
    await page.getByRole('option', { name: `${WAITING}: joined` }).waitFor();
    const joined = board.status().hosts.filter(({ state }) => state === 'joined' || state === 'unchanged').length;
    await page.getByText(`${joined} of 40 are in the cluster`).waitFor();
  });

  test('failures are grouped by their code, with what helps', async () => {
    const { page } = await openDashboard(200);
    const group = page.getByRole('article', { name: 'E_FLEET_HOST_KEY' });
    await group.getByText(/ssh-keygen -R node-/).waitFor();
    await group
      .getByRole('button', { name: /^node-/ })
      .first()
      .click();
    await page.getByRole('complementary').getByText('E_FLEET_HOST_KEY').waitFor();
  });

  test('a filter leaves the hosts whose name, state or error code fits', async () => {
    const { page } = await openDashboard(200);
    await page.getByRole('searchbox').fill('host_key');
    await page.getByText(/^\d+ of 200 hosts$/).waitFor();
    const names = await page
      .getByRole('option')
      .evaluateAll((all) => all.map((each) => each.getAttribute('aria-label')));
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((name) => !name?.includes('E_FLEET_HOST_KEY'))).toEqual([]);
    await page.getByRole('searchbox').fill('');
    await page.getByRole('button', { name: /^waiting \d+/ }).click();
    expect(await page.locator('.cell:not(.waiting)').count()).toBe(0);
  });
});

describe('reports', () => {
  const opened = async (html: string) => {
    const file = join(await mkdtemp(join(tmpdir(), 'report-')), 'report.html');
    await writeFile(file, html);
    const page = await openPage();
    await page.goto(`file://${file}`);
    return page;
  };
  const assets = packageAssets(PROJECT);

  const reportOf = (board: MemoryBoard) => rolloutReport(board.status(), ({ name }) => board.eventsOf(name), assets);

  test('the report of a rollout opens from a file, and has the runs of failed hosts, but no action', async () => {
    const page = await opened(reportOf(new MemoryBoard(40)));
    await page.getByRole('option', { name: `${FAILED}: failed` }).click();
    await page.getByRole('complementary').getByText('discovery', { exact: true }).first().waitFor();
    await page.getByRole('log').getByText('asking 10.0.0.1:6443').waitFor();
    for (const name of ['Pause', 'Retry', 'Skip', 'Approve'])
      expect(await page.getByRole('button', { name }).count(), name).toBe(0);
  });

  test('the report of a run opens from a file, and has its steps, its error and its log', async () => {
    const page = await opened(runReport(new MemoryBoard(40).eventsOf(FAILED), assets, (text) => text) ?? '');
    await page.getByRole('heading', { name: FAILED, exact: true }).waitFor();
    await page.getByRole('list', { name: 'Steps' }).getByText('preflight').waitFor();
    await page.getByText('did not answer for 2 minutes').first().waitFor();
    await page.getByRole('log').getByText('swap is on').waitFor();
  });
});
