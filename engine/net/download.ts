/** Downloads over HTTPS: with the CA certificates and the proxy of this machine, and only https redirects. */
import type { Dispatcher } from 'undici';
import request from 'undici/lib/api/api-request.js';
import { fail, isJoinError } from '../sdk/errors.ts';
import { decodeText } from '../sdk/text.ts';
import { connectionError, unlessAborted } from './failure.ts';
import { limitInformational } from './informational.ts';
import { dispatcherTo } from './proxy.ts';
import { systemRoots } from './roots.ts';

const BODY_BYTES_MAX = 1 << 20;
const REDIRECTS_MAX = 10;
const ANSWER_TIMEOUT_MS = 10_000;

/**
 * Downloads `url` without credentials. E_DOWNLOAD if the answer is not the document; E_API_CERTIFICATE_… and
 * E_API_UNREACHABLE as for API servers.
 */
export async function download(
  url: string,
  signal: AbortSignal,
  allows: (address: string) => boolean = () => true,
): Promise<string> {
  const ca = [...(await systemRoots())];
  let at = new URL(url);
  for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects++) {
    const answer = await get(at, ca, signal);
    if (answer.redirect === undefined) return answer.text;
    at = answer.redirect;
    if (!allows(at.href)) throw refusalOf(new URL(url))(`it leads to ${at.origin}, which the plugin does not declare`);
  }
  throw refusalOf(new URL(url))(`more than ${REDIRECTS_MAX} redirects`);
}

type Answer = { text: string; redirect?: undefined } | { redirect: URL };
type Refuse = (what: string) => Error;

/** Omits the query, which may hold a secret. */
const refusalOf =
  ({ origin, pathname }: URL): Refuse =>
  (what) =>
    fail('E_DOWNLOAD', { url: `${origin}${pathname}`, what });

async function get(url: URL, ca: string[], signal: AbortSignal): Promise<Answer> {
  const refuse = refusalOf(url);
  if (url.protocol !== 'https:') throw refuse('it leads to an address that is not https');
  if (url.username !== '' || url.password !== '')
    throw refuse('a password in an address is visible to every user of the machine');
  const dispatcher = await dispatcherTo(url, ca, refuse);
  try {
    const opened = request.call(dispatcher, {
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: 'GET',
      headers: { accept: '*/*', 'user-agent': 'joinery' },
      headersTimeout: ANSWER_TIMEOUT_MS,
      onInfo: limitInformational((what) => refuse(`the server sent ${what}`)),
      bodyTimeout: ANSWER_TIMEOUT_MS,
      signal,
    });
    return await answerOf(await unlessAborted(opened, signal), url, refuse);
  } catch (error) {
    throw isJoinError(error) ? error : connectionError(error, url.origin, signal);
  } finally {
    await dispatcher.destroy();
  }
}

async function answerOf(
  { statusCode, headers, body }: Dispatcher.ResponseData,
  url: URL,
  refuse: Refuse,
): Promise<Answer> {
  body.on('error', () => undefined); // a body that is destroyed unread fails
  try {
    const location = headers.location;
    if (statusCode >= 300 && statusCode < 400 && typeof location === 'string' && URL.canParse(location, url.href))
      return { redirect: new URL(location, url) };
    if (statusCode === 429 || statusCode >= 500)
      throw fail('E_API_UNAVAILABLE', { server: url.origin, what: 'send the file', status: statusCode, message: '' });
    if (statusCode !== 200) throw refuse(`the server answered ${statusCode}`);
    return { text: await textOf(body as AsyncIterable<Buffer>, refuse) };
  } finally {
    body.destroy(); // until then, undici listens to the caller's signal
  }
}

async function textOf(body: AsyncIterable<Buffer>, refuse: Refuse): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw refuse(`it is larger than ${BODY_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return decodeText(Buffer.concat(chunks));
}
