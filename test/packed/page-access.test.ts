/** The dashboard by keyboard, for screen readers, in both colour schemes, and with a thousand hosts. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { PROJECT } from '../helpers/sources.ts';
import { openDashboard } from './browser.ts';

/** Runs in the page: the texts whose colour is too near to that of their background. */
const LOW_CONTRASTS = readFileSync(join(import.meta.dirname, 'low-contrasts.js'), 'utf8');

const focused = (page: Page): Promise<string> =>
  page.evaluate(`document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent`);

describe('the dashboard by keyboard', () => {
  test('Tab reaches every control, and each has a visible focus', async () => {
    const { page } = await openDashboard();
    const reached: string[] = [];
    for (let index = 0; index < 25; index++) {
      await page.keyboard.press('Tab');
      if (await page.evaluate('document.activeElement === document.body')) break; // after the last one
      const name = await focused(page);
      const outline = await page.evaluate('getComputedStyle(document.activeElement).outlineStyle');
      expect(outline, name).toBe('solid');
      reached.push(name);
    }
    expect(reached.map((name) => name.replace(/[\d]+$|:.*/, '').trim())).toEqual(
      expect.arrayContaining(['Pause', 'Keys', 'Retry', 'Filter the hosts by name or error code', 'node-0001']),
    );
    expect(reached.filter((name) => name.startsWith('node-'))).toHaveLength(4); // one of each wave, and a failed one
  });

  test('arrow keys move between hosts, Enter opens one, and Escape returns to it', async () => {
    const { page } = await openDashboard();
    await page.getByRole('option', { name: 'node-0006' }).focus();
    await page.keyboard.press('ArrowRight');
    expect(await focused(page)).toContain('node-0007');
    await page.keyboard.press('ArrowDown');
    const below = await focused(page);
    expect(below).not.toContain('node-0007');
    await page.keyboard.press('ArrowUp');
    expect(await focused(page)).toContain('node-0007');
    await page.keyboard.press('End');
    expect(await focused(page)).toContain('node-0040');
    await page.keyboard.press('Home');
    await page.keyboard.press('Enter');
    await page.getByRole('complementary', { name: 'Host node-0006' }).waitFor();
    expect(await focused(page)).toBe('node-0006');
    await page.keyboard.press('Escape');
    expect(await page.getByRole('complementary').count()).toBe(0);
    expect(await focused(page)).toContain('node-0006');
  });

  test('n and Shift+N open the hosts that need a person, and after the last comes the first', async () => {
    const { page } = await openDashboard();
    for (const [key, host] of [
      ['n', 'node-0013'],
      ['n', 'node-0027'],
      ['n', 'node-0013'],
      ['N', 'node-0027'],
    ] as const) {
      await page.keyboard.press(key);
      await page.getByRole('complementary', { name: `Host ${host}` }).waitFor();
    }
  });

  test('? lists the keys, / and h move the focus, and a letter in the filter is only a letter', async () => {
    const { page } = await openDashboard();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).getByText('Filter the hosts').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.keyboard.press('/');
    await page.keyboard.type('nh?');
    expect(await page.getByRole('searchbox').inputValue()).toBe('nh?');
    await page.getByRole('searchbox').fill('');
    await page.keyboard.press('Escape');
    await page.keyboard.press('h');
    expect(await focused(page)).toContain('node-0001');
  });

  test('every action works without a pointer', async () => {
    const { page, board } = await openDashboard();
    await page.keyboard.press('n');
    await page.getByRole('complementary').waitFor();
    await page.keyboard.press('Tab'); // close
    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe('Retry');
    await page.keyboard.press('Enter');
    await expect.poll(() => board.actions).toEqual([{ action: 'retry', host: 'node-0013' }]);
  });
});

describe('the dashboard for everyone', () => {
  test('every control and every region has a name for screen readers', async () => {
    const { page } = await openDashboard();
    await page.keyboard.press('n');
    await page.getByRole('log').waitFor();
    const nameless = await page
      .locator('button, input, section, aside, [role], summary, svg:not([aria-hidden])')
      .evaluateAll((all) =>
        all
          .filter((each) => !((each.getAttribute('aria-label') ?? '') || each.textContent?.trim()))
          .filter((each) => each.getAttribute('role') !== 'status') // which has a text only when it has news
          .map((each) => each.outerHTML),
      );
    expect(nameless).toEqual([]);
    expect(await page.locator('main').ariaSnapshot()).toContain('listbox "Hosts of wave 3"');
  });

  test.each(['light', 'dark'] as const)('text has a contrast of at least 4.5 on a %s page', async (colorScheme) => {
    const { page } = await openDashboard(40, { colorScheme });
    await page.keyboard.press('n');
    await page.getByRole('log').waitFor();
    expect(await page.evaluate(LOW_CONTRASTS)).toEqual([]);
  });
});

describe('the dashboard with a thousand hosts', () => {
  /** Milliseconds of the page's own work: scripts, styles and layout. */
  const workOf = async (page: Page) => {
    const session = await page.context().newCDPSession(page);
    await session.send('Performance.enable', { timeDomain: 'threadTicks' });
    return async () => {
      const { metrics } = await session.send('Performance.getMetrics');
      const seconds = metrics.filter(({ name }) => /^(Script|Layout|RecalcStyle)Duration$/.test(name));
      return seconds.reduce((sum, { value }) => sum + value, 0) * 1_000;
    };
  };
  const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
  const STATES = ['joining', 'joined', 'failed', 'waiting'] as const;

  test('an update of 20 hosts takes less than a frame of 60 in a second, and so does scrolling', async () => {
    const { page, board } = await openDashboard(1_000);
    const work = await workOf(page);
    const updates: number[] = [];
    for (let round = 0; round < 12; round++) {
      const before = await work();
      for (let index = 0; index < 20; index++)
        board.changeHost(`node-0${700 + round * 20 + index}`, { state: STATES[(round + index) % 4] ?? 'joined' });
      await page.waitForTimeout(400);
      updates.push((await work()) - before);
    }
    expect(median(updates)).toBeLessThan(16);
    const before = await work();
    for (let step = 0; step < 20; step++) await page.mouse.wheel(0, 60);
    await page.waitForTimeout(200);
    expect(((await work()) - before) / 20).toBeLessThan(16);
  });

  test.each(['light', 'dark'] as const)(
    'all hosts fit the width of the page, in the %s scheme',
    async (colorScheme) => {
      const { page } = await openDashboard(1_000, { colorScheme, viewport: { width: 1_280, height: 1_160 } });
      expect(await page.locator('.cell').count()).toBe(1_000);
      expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
      // `SCREENSHOTS=docs npm run test:packed` renews the pictures of the documents.
      const folder = process.env.SCREENSHOTS;
      if (folder !== undefined)
        await page.screenshot({ path: join(PROJECT, folder, `fleet-dashboard-${colorScheme}.png`) });
    },
  );
});
