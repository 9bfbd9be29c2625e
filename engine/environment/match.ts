/** Which machines a part of an environment is for. */
import type { HostFacts } from '../sdk/ports.ts';

/** Every fact that is asked for is as asked, or as one of the list. In text, `*` stands for any letters. */
export const matches = (wanted: unknown, host: HostFacts): boolean =>
  Object.entries(wanted as Record<string, unknown>).every(([fact, value]) => {
    const there = Object.hasOwn(host, fact) ? (host as unknown as Record<string, unknown>)[fact] : undefined;
    return [value].flat().some((one) => (typeof one === 'string' ? fits(one, there) : one === there));
  });

/** In time that grows with both lengths and no further, whatever the pattern. */
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
