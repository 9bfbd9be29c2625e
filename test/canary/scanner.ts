/**
 * Finds secrets in what was told, in whatever form they may have got there. Written apart from the engine's redactor:
 * what that one misses is to be found.
 */
import { createPrivateKey, createPublicKey } from 'node:crypto';

/** A unique string that may be seen nowhere. */
export interface Canary {
  name: string;
  /** Each of these gives it away. */
  traces: readonly string[];
}

/** What shows too little to be found, and what is found by accident. */
const CHARACTERS_MIN = 8;

/** A bootstrap token: as it is, and its secret half by itself. The id is public. */
export const tokenCanary = (token: string): Canary => canary('token', [token, token.split('.')[1] ?? '']);

export const plainCanary = (name: string, text: string): Canary => canary(name, [text]);

/** A private key: whole, half a line at a time, and its number. What is in its certificate as well is no secret. */
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

/** In hexadecimal digits, and in base64 wherever it begins; what depends on its neighbours is left out. */
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

/** The names of the canaries that `text` gives away, each with where; nothing of them is in the answer. */
export function leaks(text: string, canaries: readonly Canary[]): string[] {
  return canaries.flatMap(({ name, traces }) => {
    const at = Math.max(...traces.map((trace) => text.indexOf(trace)));
    if (at < 0) return [];
    const before = traces.reduce((shown, trace) => shown.split(trace).join('<SECRET>'), text.slice(0, at)).slice(-60);
    return [`${name}, behind ${JSON.stringify(before)}`];
  });
}
