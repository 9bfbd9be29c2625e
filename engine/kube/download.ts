/** A document from the web, by HTTPS alone: this machine's own roots, its proxy, and no redirect to anything less. */
import type { Dispatcher } from 'undici';
import request from 'undici/lib/api/api-request.js';
import EnvHttpProxyAgent from 'undici/lib/dispatcher/env-http-proxy-agent.js';
import { fail, isJoinError } from '../sdk/errors.ts';
import { systemRoots } from './roots.ts';
import { inWords } from './transport.ts';

const BODY_BYTES_MAX = 1 << 20;
const REDIRECTS_MAX = 10;
const ANSWER_TIMEOUT_MS = 10_000;

/** E_DOWNLOAD for an answer that is not the document, E_API_CERTIFICATE_… and E_API_UNREACHABLE as for API servers. */
export async function download(url: string, signal: AbortSignal): Promise<string> {
  const { HTTPS_PROXY, https_proxy, NO_PROXY, no_proxy } = process.env;
  const agent = new EnvHttpProxyAgent({
    httpProxy: '', // Go asks HTTPS_PROXY alone for an https URL
    httpsProxy: HTTPS_PROXY ?? https_proxy ?? '',
    noProxy: NO_PROXY ?? no_proxy ?? '',
    connect: { ca: [...(await systemRoots())], rejectUnauthorized: true, minVersion: 'TLSv1.2', timeout: 5_000 },
    requestTls: { ca: [...(await systemRoots())], rejectUnauthorized: true, minVersion: 'TLSv1.2' },
  });
  try {
    let at = new URL(url);
    for (let redirects = 0; ; redirects++) {
      const answer = await get(agent, at, signal);
      if (answer.redirect === undefined) return answer.text;
      if (redirects === REDIRECTS_MAX) throw fail('E_DOWNLOAD', { url, what: `more than ${REDIRECTS_MAX} redirects` });
      at = answer.redirect;
    }
  } finally {
    await agent.destroy();
  }
}

type Answer = { text: string; redirect?: undefined } | { redirect: URL };

async function get(agent: Dispatcher, url: URL, signal: AbortSignal): Promise<Answer> {
  const refuse = (what: string) => fail('E_DOWNLOAD', { url: `${url.origin}${url.pathname}`, what });
  if (url.protocol !== 'https:') throw refuse('it leads to an address that is not https');
  if (url.username !== '' || url.password !== '') throw refuse('a password in an address is seen by everybody');
  try {
    const { statusCode, headers, body } = await request.call(agent, {
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: 'GET',
      headers: { accept: '*/*', 'user-agent': 'joinery' },
      headersTimeout: ANSWER_TIMEOUT_MS,
      bodyTimeout: ANSWER_TIMEOUT_MS,
      signal,
    });
    const location = headers.location;
    if (statusCode >= 300 && statusCode < 400 && typeof location === 'string' && URL.canParse(location, url.href)) {
      body.destroy();
      return { redirect: new URL(location, url) };
    }
    if (statusCode === 429 || statusCode >= 500) {
      body.destroy();
      throw fail('E_API_UNAVAILABLE', { server: url.origin, what: 'give the file', status: statusCode, message: '' });
    }
    if (statusCode !== 200) {
      body.destroy();
      throw refuse(`the server answered ${statusCode}`);
    }
    return { text: await textOf(body as AsyncIterable<Buffer>, refuse) };
  } catch (error) {
    throw isJoinError(error) ? error : inWords(error, url.origin, signal);
  }
}

async function textOf(body: AsyncIterable<Buffer>, refuse: (what: string) => Error): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw refuse(`it is larger than ${BODY_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
