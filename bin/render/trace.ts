/**
 * A run in the trace event format of Chrome, which https://ui.perfetto.dev and chrome://tracing show: a row for each
 * step, with its attempts, waits and messages. Times are in microseconds since the process started.
 * https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
 */
import type { RunEvent } from '../../engine/run/events.ts';

interface TraceEvent {
  name: string;
  /** `X`: has a duration; `i`: an instant; `M`: the name of a row. */
  ph: 'X' | 'i' | 'M';
  ts: number;
  dur?: number;
  pid: 1;
  tid: number;
  /** An instant concerns its row only. */
  s?: 't';
  args?: Readonly<Record<string, unknown>>;
}

/** The row of the process, before those of the steps. */
const PROCESS = 0;

export class Trace {
  readonly #events: TraceEvent[] = [];
  /** Step → when its attempt started, and which one it is. */
  readonly #running = new Map<string, { ts: number; attempt: number }>();
  readonly #rows: readonly string[];
  readonly #nowMs: () => number;

  /** `nowMs` is the time since the process started. */
  constructor(steps: readonly string[], nowMs: () => number = () => performance.now()) {
    this.#rows = steps;
    this.#nowMs = nowMs;
    ['process', ...steps].forEach((name, tid) => {
      this.#events.push({ name: 'thread_name', ph: 'M', ts: 0, pid: 1, tid, args: { name } });
    });
    this.#events.push({ name: 'start-up', ph: 'X', ts: 0, dur: this.#now(), pid: 1, tid: PROCESS });
  }

  onEvent(event: RunEvent): void {
    if (!('step' in event)) return;
    const { step } = event;
    const ts = this.#now();
    const tid = this.#rows.indexOf(step) + 1;
    const instant = (name: string) => this.#events.push({ name, ph: 'i', ts, pid: 1, tid, s: 't' });
    if (event.type === 'step.started') this.#running.set(step, { ts, attempt: event.attempt });
    if (event.type === 'step.retrying') this.#end(step, ts, 'failed');
    if (event.type === 'step.ended') this.#end(step, ts, event.status);
    if (event.type === 'step.log') instant(event.text);
    if (event.type === 'step.waited') {
      const dur = Math.round(event.waitedMs * 1000);
      this.#events.push({ name: `waits for ${event.what}`, ph: 'X', ts: ts - dur, dur, pid: 1, tid });
    }
  }

  /** The trace so far, as JSON. */
  text(): string {
    return `${JSON.stringify({ displayTimeUnit: 'ms', traceEvents: this.#events })}\n`;
  }

  #end(id: string, ts: number, status: string): void {
    const begun = this.#running.get(id);
    if (begun === undefined) return; // skipped, or cancelled before it started
    this.#running.delete(id);
    const args = { attempt: begun.attempt, status };
    const tid = this.#rows.indexOf(id) + 1;
    this.#events.push({ name: id, ph: 'X', ts: begun.ts, dur: ts - begun.ts, pid: 1, tid, args });
  }

  #now(): number {
    return Math.round(this.#nowMs() * 1000);
  }
}
