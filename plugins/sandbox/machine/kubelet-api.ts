/** API client of the stand-in kubelet. It verifies the server's certificate and retries if the server is busy. */
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Caller } from './kubelet-identity.ts';

const TIMEOUT_MS = 10_000;
const RETRY_MS = 250;
const TRIES_MAX = 120;
/** Error codes of Node.js for an untrusted certificate. */
const UNTRUSTED = /CERT|SIGNATURE|ISSUER|TLS/;

export type ApiCall =
  | { method: 'GET' | 'DELETE'; path: string }
  | { method: 'POST' | 'PATCH'; path: string; contentType: string; body: object };

/**
 * Returns the answer's text if the call succeeded or the object is as wanted: it exists already (409), or no longer.
 * Throws errors that a retry cannot fix, with `purpose` in the message.
 */
export async function callApi(caller: Caller, call: ApiCall, purpose: string, signal: AbortSignal): Promise<string> {
  for (let left = TRIES_MAX; ; left--) {
    const { code, message } = await send(caller, call, signal);
    if (code === 409 || (call.method === 'DELETE' && code === 404) || (code >= 200 && code < 300)) return message;
    const isTransient = code === 0 || code === 429 || code >= 500;
    if (!isTransient || left === 0) throw new Error(`unable to ${purpose}: ${message}`);
    await sleep(RETRY_MS, undefined, { signal });
  }
}

/** Code 0: no answer. An untrusted certificate rejects at once. */
function send(caller: Caller, call: ApiCall, signal: AbortSignal): Promise<{ code: number; message: string }> {
  const { server, ca, cert, key, token } = caller;
  return new Promise((resolve, reject) => {
    const outgoing = request(new URL(call.path, server), {
      method: call.method,
      headers: {
        Accept: 'application/json',
        ...('contentType' in call ? { 'Content-Type': call.contentType } : {}),
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      },
      ca,
      cert,
      key,
      agent: false,
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    const broken = (error: NodeJS.ErrnoException) => {
      if (signal.aborted || UNTRUSTED.test(error.code ?? '')) reject(error);
      else resolve({ code: 0, message: error.message });
    };
    outgoing.once('error', broken);
    outgoing.once('response', (response) => {
      text(response).then((message) => resolve({ code: response.statusCode ?? 0, message }), broken);
    });
    outgoing.end('body' in call ? JSON.stringify(call.body) : undefined);
  });
}
