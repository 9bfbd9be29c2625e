/** Sends broken answers that a correct API server would never send. */
import { type ServerResponse, STATUS_CODES } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from './answer.ts';
import type { Fault } from './fault.ts';
import { sendAnswer, serialize } from './respond.ts';

const HUGE_BYTES = 8 << 20;
const CHUNK = 'x'.repeat(1 << 16);
const JSON_TYPE = 'application/json';
/** Start of a watch event. */
const HALF_AN_EVENT = '{"type":"ADDED","object":{"kind":';

const textOf = (answer: Answer): string => ('watch' in answer ? HALF_AN_EVENT : serialize(answer));
const codeOf = (answer: Answer): number => ('watch' in answer ? 200 : answer.code);

export function sendHalf(response: ServerResponse, answer: Answer): void {
  const text = textOf(answer);
  response.writeHead(200, { 'Content-Type': JSON_TYPE, 'Content-Length': Buffer.byteLength(text) * 2 });
  response.write(text.slice(0, text.length / 2), () => response.destroy());
}

/** Sends the first bytes of the message, then closes the connection. */
export function sendCut(response: ServerResponse, answer: Answer, { bytes = 0 }: Fault): void {
  const { socket } = response;
  const sent = messageOf(response, answer).subarray(0, bytes);
  if (sent.length === 0) socket?.end();
  else socket?.write(sent, () => socket.end());
}

/** Sends the body byte by byte, with a pause after each. */
export function sendDrip(response: ServerResponse, answer: Answer, { latencyMs = 1000 }: Fault): void {
  async function* body() {
    for (const letter of textOf(answer)) {
      yield letter;
      await sleep(latencyMs, undefined, { ref: false });
    }
  }
  sendStream(response, body());
}

export function sendHuge(response: ServerResponse): void {
  function* body() {
    yield '{"kind":"ConfigMap","padding":"';
    for (let sent = 0; sent < HUGE_BYTES; sent += CHUNK.length) yield CHUNK;
    yield '"}';
  }
  sendStream(response, body());
}

export function sendEndless(response: ServerResponse): void {
  function* body() {
    yield '{"kind":"ConfigMap","padding":"';
    for (;;) yield CHUNK;
  }
  sendStream(response, body());
}

/** Announces an answer again and again, and never sends it. */
export function sendInformational(response: ServerResponse, _: Answer, { code = 103, latencyMs = 1000 }: Fault): void {
  const { socket } = response;
  const timer = setInterval(() => socket?.write(`HTTP/1.1 ${code} ${STATUS_CODES[code]}\r\n\r\n`), latencyMs);
  socket?.once('close', () => clearInterval(timer));
}

export function sendChanged(response: ServerResponse, answer: Answer, { change = (same) => same }: Fault): void {
  if ('watch' in answer) {
    const { watch } = answer;
    const present = (object: Parameters<typeof watch.present>[0]) => change(watch.present(object)) as object;
    sendAnswer(response, { watch: { ...watch, present } });
  } else if (typeof answer.body === 'string') sendAnswer(response, answer);
  else sendAnswer(response, { ...answer, body: change(structuredClone(answer.body)) as object });
}

/** Sends the response that the fault defines, and nothing of the answer. */
export function sendOwnResponse(response: ServerResponse, { code = 200, text = '', open = false }: Fault): void {
  const own = response.hasHeader('Content-Type') ? {} : { 'Content-Type': JSON_TYPE };
  if (code === 101) {
    response.socket?.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: nonsense\r\n\r\n');
  } else if (open) {
    response.writeHead(code, own);
    response.write(text);
  } else {
    const length = response.hasHeader('Content-Length') ? {} : { 'Content-Length': Buffer.byteLength(text) };
    response.writeHead(code, { ...own, ...length });
    response.end(text);
  }
}

function messageOf(response: ServerResponse, answer: Answer): Buffer {
  const [code, text] = [codeOf(answer), textOf(answer)];
  const headers = { ...response.getHeaders(), 'content-type': JSON_TYPE, 'content-length': Buffer.byteLength(text) };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`HTTP/1.1 ${code} ${STATUS_CODES[code]}\r\n${lines.join('')}\r\n${text}`);
}

function sendStream(response: ServerResponse, body: Iterable<string> | AsyncIterable<string>): void {
  response.writeHead(200, { 'Content-Type': JSON_TYPE });
  // The client is expected to close the connection.
  pipeline(Readable.from(body), response).catch(() => undefined);
}
