/** The records of a journal. */
import type { Before, StepChange } from '../host/changes/index.ts';
import type { HostFacts } from '../sdk/ports.ts';
import type { StepStatus } from '../sdk/step-status.ts';
import type { Answer } from './approval.ts';
import type { MachineRecord } from './machine-id.ts';

/** Version 2 added skipped steps, allowed failures and approvals. Version 3 added refused changes. */
export const JOURNAL_VERSION = 3;

/** What a plan was made from. Two plans with the same source and the same inputs belong to the same run. */
export interface PlanSource {
  kind: 'pipeline' | 'phase';
  name: string;
  digest: string;
  environments?: readonly { name: string; digest: string }[];
}

export interface ErrorRecord {
  code: string;
  message: string;
  hint: string;
}

/** A plugin that some of the steps come from. The run can only be resumed or undone with the same plugin. */
export interface PluginRecord {
  name: string;
  version: string;
  folder: string;
  integrity: string;
  steps: readonly string[];
  /** It shipped with Joinery, and may differ after an upgrade of Joinery. */
  isShipped?: boolean;
}

export type Entry =
  | {
      kind: 'start';
      version: number;
      id: string;
      joinery: string;
      pipeline: string;
      source: PlanSource;
      /** A secret is `{"$secret": name}`. Its value is stored elsewhere. */
      inputs: unknown;
      host: HostFacts;
      /** Absent in journals of earlier versions. */
      machine?: MachineRecord;
      steps: readonly string[];
      plugins?: readonly PluginRecord[];
    }
  | { kind: 'resumed' }
  | { kind: 'begun'; step: string; phase: string; attempt: number; input: unknown }
  | { kind: 'once'; step: string; name: string }
  | { kind: 'change'; step: string; change: StepChange; before: Before; after?: string }
  /** The change was refused, so it counts as never made. */
  | { kind: 'refused'; change: number }
  | {
      kind: 'done';
      step: string;
      status: StepStatus;
      attempts: number;
      durationMs: number;
      outputs?: unknown;
      error?: ErrorRecord;
    }
  /** The question of an approval, with its deadline. */
  | { kind: 'asked'; step: string; message: string; until: string }
  | { kind: 'answered'; step: string; answer: Answer }
  /** The condition of the step was false. */
  | { kind: 'skipped'; step: string; phase: string }
  /** The phase starts to undo what it changed outside the machine. From here on, the step is no longer done. */
  | { kind: 'undoing'; step: string }
  /** A change is undone, or everything that a step changed outside the machine. */
  | { kind: 'undone'; change: number /** Nothing undoes the change. */; stays?: true }
  | { kind: 'undone'; step: string }
  /** `isReset`: the machine was reset, so there is nothing left to resume or undo. */
  | { kind: 'finished'; status: 'succeeded' | 'failed' | 'cancelled' | 'undone'; error?: ErrorRecord; isReset?: true };

export type JournalRecord = Entry & { seq: number; at: string };
export type Start = Extract<JournalRecord, { kind: 'start' }>;
