/**
 * The events of a run. Everything that shows a run is made from them: the progress, `--output jsonl`, `join attach`,
 * phases with `onEvent`, and the result. Texts of an event hold no secret; a `Secret` in outputs serializes as `***`.
 */
import type { StepStatus } from './step-status.ts';

/**
 * The part of an error that an event shows.
 * @experimental
 */
export interface EventError {
  readonly code: string;
  readonly message: string;
  /** The next step for the user. */
  readonly hint: string;
  readonly exitCode: number;
}

/** How many changes a run has made in all of its processes, and what became of them. */
export interface EventChanges {
  readonly made: number;
  readonly undone: number;
  /** Nothing can undo them, or `undo --skip` has left them. */
  readonly kept: number;
}

/** An event without the fields that all events share. `C` describes a change. */
export type EventBody<C extends { readonly kind: string } = { readonly kind: string }> =
  | {
      readonly type: 'run.started';
      readonly direction: 'run' | 'undo';
      /** A dry run changes nothing. Its changes are those that a run would make. */
      readonly dryRun: boolean;
      /** Whether an earlier process began the run. */
      readonly resumed: boolean;
      /** In the order of the pipeline; those of `finally` come last. */
      readonly steps: readonly string[];
    }
  /** The run was cancelled. Its steps end, and then its changes are undone or kept. */
  | {
      readonly type: 'run.stopping';
      readonly reason: string;
      readonly next: 'undo' | 'keep';
      readonly changes: EventChanges;
    }
  | {
      readonly type: 'run.ended';
      readonly status: 'succeeded' | 'failed' | 'cancelled';
      readonly durationMs: number;
      readonly changes: EventChanges;
      readonly outputs?: unknown;
      readonly error?: EventError;
    }
  /** An earlier process has ended the step. */
  | { readonly type: 'step.kept'; readonly step: string; readonly status: StepStatus }
  | {
      readonly type: 'step.started';
      readonly step: string;
      /** From 1. */
      readonly attempt: number;
      readonly direction: 'run' | 'undo';
    }
  | { readonly type: 'step.log'; readonly step: string; readonly level: 'info' | 'warn'; readonly text: string }
  | { readonly type: 'step.change'; readonly step: string; readonly change: C }
  /** A wait begins, or continues: the event is repeated every 30 s. */
  | {
      readonly type: 'step.wait';
      readonly step: string;
      readonly what: string;
      readonly waitedMs: number;
      /** When its time is up, RFC 3339. */
      readonly until: string;
      /** Of a certificate request: its name (`csr`), its Node (`node`), and `sha256:<hex>` of its key (`publicKey`). */
      readonly about?: Readonly<Record<string, string>>;
    }
  /** A wait ends, whatever its result. */
  | { readonly type: 'step.waited'; readonly step: string; readonly what: string; readonly waitedMs: number }
  | {
      readonly type: 'step.asked';
      readonly step: string;
      readonly message: string;
      /** The deadline, RFC 3339. */
      readonly until: string;
      /** The file in which an answer may arrive: first `approve` or `deny`, then the reason. */
      readonly path: string;
    }
  | {
      readonly type: 'step.answered';
      readonly step: string;
      readonly decision: 'approved' | 'denied';
      readonly by: string;
      readonly reason: string;
      readonly via: 'terminal' | 'command' | 'file' | 'deadline';
    }
  | {
      readonly type: 'step.retrying';
      readonly step: string;
      /** The attempt that failed. */
      readonly attempt: number;
      readonly pauseMs: number;
      readonly error: EventError;
    }
  | {
      readonly type: 'step.ended';
      readonly step: string;
      readonly direction: 'run' | 'undo';
      readonly status: StepStatus;
      readonly attempts: number;
      /** Of the run of the step, or of its undo. */
      readonly durationMs: number;
      readonly outputs?: unknown;
      readonly error?: EventError;
    }
  /** An undo has processed a change of the machine. */
  | {
      readonly type: 'step.restored';
      readonly step: string;
      readonly change: C;
      /** `refused`: the path has changed since. `stays`: nothing can undo the change, and nothing has to. */
      readonly outcome: 'restored' | 'refused' | 'stays' | 'failed';
      readonly why?: string;
      /** The difference between the current file and the one that the run left; only for world-readable files. */
      readonly diff?: string;
    };

/**
 * An event of a run, as schemas/event.schema.json describes it.
 * @experimental
 */
export type RunEvent<C extends { readonly kind: string } = { readonly kind: string }> = EventBody<C> & {
  readonly apiVersion: 'joinery.dev/v1';
  readonly kind: 'Event';
  /** From 1, in the order of the events. A resumed run continues the numbers. */
  readonly seq: number;
  /** RFC 3339, with an offset. */
  readonly at: string;
  /** ID of the run; `dry-run` for a dry run, and `unrecorded` for a run without a journal. */
  readonly run: string;
  /** Host name. */
  readonly machine: string;
  readonly pipeline: string;
  /** In a dry run: the event rests on a stand-in, and may differ in a real run. */
  readonly assumed?: true;
};
