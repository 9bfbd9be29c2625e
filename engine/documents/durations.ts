/** Durations in Go's notation, such as `1h30m` or `500ms`. */

const DURATION = /^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$/;
const UNIT_MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Whether `text` is a duration longer than zero. */
export const isDuration = (text: unknown): boolean =>
  typeof text === 'string' && DURATION.test(text) && /[1-9]/.test(text);

/** A duration in milliseconds. */
export function durationMs(text: string): number {
  let total = 0;
  for (const [, number, unit] of text.matchAll(/([\d.]+)(ms|s|m|h)/g))
    total += Number(number) * (UNIT_MS[unit ?? ''] ?? 0);
  return total;
}

/** Milliseconds as a duration: `1h30m`. */
export function durationText(ms: number): string {
  const units = Object.entries(UNIT_MS).toReversed();
  let left = ms;
  const text = units.map(([unit, unitMs]) => {
    const count = Math.floor(left / unitMs);
    left -= count * unitMs;
    return count === 0 ? '' : `${count}${unit}`;
  });
  return text.join('') || '0s';
}
