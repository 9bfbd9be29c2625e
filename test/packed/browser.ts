/** Chromium, whose requests are all recorded. A foreign request, a violation of the policy or an error fails a test. */
import { existsSync } from 'node:fs';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest';
import { packageAssets } from '../../bin/assets.ts';
import { serveDashboard } from '../../bin/fleet/dashboard.ts';
import { MemoryBoard } from '../helpers/fleet-board.ts';
import { PROJECT } from '../helpers/sources.ts';

const CHROMIUM = '/usr/bin/chromium';
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Runs in the page. */
const REPORT_VIOLATIONS = `document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
  console.error('violates ' + violatedDirective + ': ' + blockedURI);
});`;

let browser: Browser;
beforeAll(async () => {
  if (!existsSync(CHROMIUM)) throw new Error(`${CHROMIUM} is missing. To install it: apt-get install chromium`);
  browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
});
afterAll(() => browser?.close());

const isLocal = (url: string): boolean => /^(?:http:\/\/127\.0\.0\.1:\d+\/|file:\/\/|data:)/.test(url);

/** A page that fails its test for anything that should not happen. `ignored` are messages that the test causes. */
export async function openPage(options: BrowserContextOptions & { ignored?: RegExp } = {}): Promise<Page> {
  const { ignored = /^$/, ...rest } = options;
  const context = await browser.newContext({ viewport: { width: 1440, height: 1000 }, ...rest });
  const problems: string[] = [];
  await context.route('**/*', (route) => {
    const url = route.request().url();
    if (isLocal(url)) return route.continue();
    problems.push(`a request to ${url}`);
    return route.abort();
  });
  const page = await context.newPage();
  await page.addInitScript({ content: REPORT_VIOLATIONS });
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !ignored.test(message.text())) problems.push(message.text());
  });
  onTestFinished(async () => {
    await context.close();
    expect(problems).toEqual([]);
  });
  return page;
}

/** A dashboard, and a page that has opened its link. */
export async function openDashboard(hosts = 40, options: Parameters<typeof openPage>[0] = {}) {
  const board = new MemoryBoard(hosts);
  const dashboard = await serveDashboard({ title: 'rack-a7', board, assets: packageAssets(PROJECT) });
  onTestFinished(() => dashboard.close().catch(() => undefined)); // a test may have closed it
  const page = await openPage(options);
  const link = dashboard.link();
  await page.goto(link);
  await page.locator('.cell').first().waitFor();
  return { board, dashboard, page, link };
}
