/** Sends answers over HTTP. */
import type { ServerResponse } from 'node:http';
import type { Answer, Document } from './answer.ts';
import { sendWatch } from './watch.ts';

export function sendAnswer(response: ServerResponse, answer: Answer): void {
  if ('watch' in answer) sendWatch(response, answer.watch);
  else sendText(response, answer.code, contentType(answer), serialize(answer));
}

export const serialize = ({ body }: Document): string =>
  typeof body === 'string' ? body : `${JSON.stringify(body)}\n`;

export const contentType = ({ body }: Document): string =>
  typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json';

export function sendText(response: ServerResponse, code: number, type: string, text: string): void {
  response.writeHead(code, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
}
