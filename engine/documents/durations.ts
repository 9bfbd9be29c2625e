/** Durations in Go's notation, such as `1h30m`, `.5h` or `500ms`. */

const UNIT_MS: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};
/** The longest duration of Go, about 292 years. So every duration is a number, and every deadline a date. */
const DURATION_MS_MAX = (2 ** 63 - 1) / 1e6;
const PART = '(\\d+\\.?\\d*|\\.\\d+)(ns|us|µs|μs|ms|s|m|h)';
const DURATION = new RegExp(`^\\+?(0|(${PART})+)$`);

/** Whether `text` is a duration, or 0. */
export const isDurationOrZero = (text: string): boolean => DURATION.test(text);

/** Whether `text` is a duration longer than zero. */
export const isDuration = (text: unknown): boolean =>
  typeof text === 'string' && isDurationOrZero(text) && /[1-9]/.test(text);

/** A duration in milliseconds. One of more than 292 years counts as 292 years. */
export function durationMs(text: string): number {
  let total = 0;
  for (const [, number, unit = ''] of text.matchAll(new RegExp(PART, 'g')))
    total += Number(number) * (UNIT_MS[unit] ?? 0);
  return Math.min(total, DURATION_MS_MAX);
}

/** Milliseconds as a duration: `1h30m`. */
export function durationText(ms: number): string {
  let left = Math.ceil(ms);
  const text = ['h', 'm', 's', 'ms'].map((unit) => {
    const unitMs = UNIT_MS[unit] ?? 1;
    const count = Math.floor(left / unitMs);
    left -= count * unitMs;
    return count === 0 ? '' : `${count}${unit}`;
  });
  return text.join('') || '0s';
}
