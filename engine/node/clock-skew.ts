/** Certificates are valid by the clock, so two clocks that differ are said to differ, before they look like something else. */
import { fail } from '../sdk/errors.ts';

const CLOCK_SKEW_MS_MAX = 60_000;

/** E_CLOCK_SKEW where the server's clock is more than a minute away. Undefined (no Date header) passes. */
export function assertClock(server: string, clockSkewMs: number | undefined): void {
  if (clockSkewMs !== undefined && Math.abs(clockSkewMs) > CLOCK_SKEW_MS_MAX)
    throw fail('E_CLOCK_SKEW', { server, skewSeconds: Math.round(clockSkewMs / 1000) });
}
