/** Time that passes. Only what shows a time is drawn again each second, not the whole page. */
import { createContext } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';
import { durationText } from './states.ts';

/** The time of a report, at which everything stands still. */
export const ReportTime = createContext<number | undefined>(undefined);

/** The current time, which advances each `periodMs` until there is an end. */
export function useNow(endedAt?: string, periodMs = 1_000): number {
  const fixed = useContext(ReportTime);
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (endedAt !== undefined || fixed !== undefined) return undefined;
    const timer = setInterval(() => setNow(Date.now()), periodMs);
    return () => clearInterval(timer);
  }, [endedAt, fixed, periodMs]);
  return fixed ?? now;
}

/** How long it has taken, or takes until now. */
export function Elapsed({ from, to }: { from: string; to: string | undefined }) {
  const now = useNow(to);
  return <>{durationText((to === undefined ? now : Date.parse(to)) - Date.parse(from))}</>;
}
