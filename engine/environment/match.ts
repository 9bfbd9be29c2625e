/** Which machines a part of an environment applies to. */
import type { HostFacts } from '../sdk/ports.ts';

/**
 * Whether every fact of the match has the given value, or one of the given values. In a text, `*` matches any
 * characters.
 */
export const matches = (match: unknown, host: HostFacts): boolean =>
  Object.entries(match as Record<string, unknown>).every(([fact, expected]) => {
    const actual = Object.hasOwn(host, fact) ? (host as unknown as Record<string, unknown>)[fact] : undefined;
    return [expected].flat().some((one) => (typeof one === 'string' ? fits(one, actual) : one === actual));
  });

/** Takes time linear in both lengths, whatever the pattern. */
function fits(pattern: string, value: unknown): boolean {
  if (typeof value !== 'string') return false;
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return pattern === value;
  if (!value.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = value.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return value.length - last.length >= at && value.endsWith(last);
}
