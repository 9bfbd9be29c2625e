/** The page as HTML: live, and as a report in one file. Both run the script of bin/fleet/page. */
import { createHash } from 'node:crypto';
import type { Assets } from '../assets.ts';
import type { Report } from './view.ts';

export interface PageFiles {
  script: string;
  style: string;
}

export const pageFiles = (assets: Assets): PageFiles => ({
  script: assets.read('dist/page/page.js').toString('utf8'),
  style: assets.read('dist/page/page.css').toString('utf8'),
});

/** What every page may do: nothing, except what `sources` allow. */
const policy = (sources: string): string =>
  `default-src 'none'; ${sources}; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; ` +
  "trusted-types 'none'";

/** The policy of the live page. It can only be sent as a header. */
export const LIVE_POLICY = [
  policy("script-src 'self'; style-src 'self'; connect-src 'self'"),
  "frame-ancestors 'none'",
].join('; ');

const htmlText = (title: string, head: string, body: string): string =>
  `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
${head}
<title>${escapedText(title)}</title>
<div id="page"></div>
<noscript>This page needs JavaScript. It loads nothing from the network.</noscript>
${body}
`;

export const livePage = (title: string): string =>
  htmlText(title, '<link rel="stylesheet" href="page.css">', '<script src="page.js"></script>');

/** One file that loads nothing. Only its own script and style, by their digests, may have an effect. */
export function reportPage(title: string, report: Report, { script, style }: PageFiles): string {
  const sources = `script-src ${digestSource(script)}; style-src ${digestSource(style)}`;
  const head = `<meta http-equiv="Content-Security-Policy" content="${policy(sources)}">\n<style>${style}</style>`;
  const data = `<script type="application/json" id="report">${scriptData(report)}</script>`;
  return htmlText(title, head, `${data}\n<script>${script}</script>`);
}

const digestSource = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** JSON in which nothing ends the script element, or begins a comment in it. */
const scriptData = (value: object): string => JSON.stringify(value).replaceAll('<', '\\u003c');

const escapedText = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
