/** A wrong clock makes valid certificates look invalid, so this check runs before any other error can mislead. */
import { fail } from '../sdk/errors.ts';

const CLOCK_SKEW_MS_MAX = 60_000;

/** Throws E_CLOCK_SKEW if the clocks differ by more than a minute. Undefined (no Date header) passes. */
export function assertClock(server: string, clockSkewMs: number | undefined): void {
  if (clockSkewMs !== undefined && Math.abs(clockSkewMs) > CLOCK_SKEW_MS_MAX)
    throw fail('E_CLOCK_SKEW', { server, skewSeconds: Math.round(clockSkewMs / 1000) });
}
