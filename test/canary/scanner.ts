/**
 * Finds secrets in a text, in any form that they may have. It is independent of the engine's redactor, so that it finds
 * what the redactor misses.
 */
import { createPrivateKey, createPublicKey } from 'node:crypto';

/** A unique string that no output may contain. */
export interface Canary {
  name: string;
  /** Strings that each reveal the secret. */
  traces: readonly string[];
}

/** Shorter pieces reveal too little, and match by accident. */
const CHARACTERS_MIN = 8;

/** A bootstrap token: the whole, and its secret half. The ID is public. */
export const tokenCanary = (token: string): Canary => canary('token', [token, token.split('.')[1] ?? '']);

export const plainCanary = (name: string, text: string): Canary => canary(name, [text]);

/** A private key: the whole, each half of a line, and its number. What its certificate also contains is public. */
export function keyCanary(pem: string): Canary {
  const lines = pem.split('\n').filter((line) => line !== '' && !line.startsWith('-----'));
  const halves = lines.flatMap((line) => [line.slice(0, 32), line.slice(32)]);
  const open = createPublicKey(pem).export({ type: 'spki', format: 'der' });
  const secret = halves.filter((half) => half.length === 32 && !open.includes(Buffer.from(half, 'base64')));
  const { d = '' } = createPrivateKey(pem).export({ format: 'jwk' });
  const number = Buffer.from(d, 'base64url');
  const { traces } = canary('key', [pem.trim(), lines.join(''), ...secret]);
  return { name: 'key', traces: [...traces, number.toString('latin1'), ...encoded(number)] };
}

function canary(name: string, texts: readonly string[]): Canary {
  const traces = texts.flatMap((text) => [
    text,
    encodeURIComponent(text),
    JSON.stringify(text).slice(1, -1),
    JSON.stringify(JSON.stringify(text)).slice(3, -3),
    ...encoded(Buffer.from(text)),
  ]);
  return { name, traces: [...new Set(traces)].filter((trace) => trace.length >= CHARACTERS_MIN) };
}

/** The bytes in hexadecimal, and in base64 at each offset, without the digits that depend on the bytes around. */
function encoded(bytes: Buffer): string[] {
  const shifted = [0, 1, 2].flatMap((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    const own = text.slice(shift === 0 ? 0 : shift + 1, (shift + bytes.length) % 3 === 0 ? undefined : -1);
    return [own, own.replaceAll('+', '-').replaceAll('/', '_')];
  });
  return [bytes.toString('hex'), bytes.toString('hex').toUpperCase(), ...shifted];
}

/** The names of the canaries in `text`, each with its position. The result does not contain the canaries. */
export function leaks(text: string, canaries: readonly Canary[]): string[] {
  return canaries.flatMap(({ name, traces }) => {
    const at = Math.max(...traces.map((trace) => text.indexOf(trace)));
    if (at < 0) return [];
    const before = traces.reduce((shown, trace) => shown.split(trace).join('<SECRET>'), text.slice(0, at)).slice(-60);
    return [`${name}, behind ${JSON.stringify(before)}`];
  });
}
