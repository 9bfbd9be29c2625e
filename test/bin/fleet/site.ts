/** A dashboard over a rollout in memory, and requests to it with any header. */
import { once } from 'node:events';
import { type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http';
import { onTestFinished } from 'vitest';
import { packageAssets } from '../../../bin/assets.ts';
import { serveDashboard } from '../../../bin/fleet/dashboard.ts';
import { MemoryBoard } from '../../helpers/fleet-board.ts';
import { PROJECT } from '../../helpers/sources.ts';

export interface Answer {
  status: number | undefined;
  headers: IncomingMessage['headers'];
  body: string;
}

export interface RequestOptions {
  method?: string;
  headers?: OutgoingHttpHeaders;
  body?: string | undefined;
}

export async function site(hosts = 20) {
  const board = new MemoryBoard(hosts);
  const dashboard = await serveDashboard({ title: 'rack-a7', board, assets: packageAssets(PROJECT) });
  onTestFinished(() => dashboard.close());
  const link = new URL(dashboard.link());
  const base = link.href.slice(0, link.href.indexOf('#'));
  const secret = link.hash.slice(1);

  /** As the page itself would ask, unless the headers say otherwise. */
  const open = async (path: string, { method = 'GET', headers = {}, body }: RequestOptions = {}) => {
    const own = { Origin: link.origin, 'Sec-Fetch-Site': 'same-origin', 'Content-Type': 'application/json' };
    const sent = request(new URL(path, base), { method, headers: { ...own, ...headers } });
    sent.end(body);
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    return answer;
  };
  const ask = async (path: string, options?: RequestOptions): Promise<Answer> => {
    const answer = await open(path, options);
    const chunks: Buffer[] = [];
    for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk);
    return { status: answer.statusCode, headers: answer.headers, body: Buffer.concat(chunks).toString('utf8') };
  };
  const session = async (): Promise<string> => {
    const { headers } = await ask('session', { method: 'POST', body: secret });
    return headers['set-cookie']?.[0]?.split(';')[0] ?? '';
  };
  return { board, dashboard, link, base, secret, open, ask, session };
}

/** The messages of a stream, as they arrive. */
export async function* messagesOf(stream: IncomingMessage): AsyncGenerator<unknown> {
  let text = '';
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    text += chunk.toString('utf8');
    const lines = text.split('\n\n');
    text = lines.pop() ?? '';
    for (const line of lines) if (line.startsWith('data: ')) yield JSON.parse(line.slice('data: '.length));
  }
}
