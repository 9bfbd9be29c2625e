/** How a pipeline declares an approval: a step that runs no phase, and waits for a person to say yes or no. */
import { durationMs } from '../documents/durations.ts';
import type { AnyPhase } from '../sdk/phase.ts';
import type { PipelineStep } from './load.ts';

export interface Approval {
  deadlineMs: number;
  onTimeout: 'fail' | 'approve';
}

export const approvalOf = ({ deadline, onTimeout = 'fail' }: NonNullable<PipelineStep['approval']>): Approval => ({
  deadlineMs: durationMs(deadline),
  onTimeout,
});

/** The outputs of an approval. */
export interface Approved {
  by: string;
  reason: string;
  at: string;
}

const later = { 'x-known': 'after-run' } as const;
const outputs = {
  by: { type: 'string', description: 'Who approved', ...later },
  reason: { type: 'string', description: 'The reason they gave', ...later },
  at: { type: 'string', description: 'When they approved (RFC 3339)', ...later },
} as const;

/** Stands for an approval wherever code asks for the phase of a step. The run waits for the answer itself. */
export const approvalPhase: AnyPhase = {
  name: 'approval',
  summary: 'Wait for an approval',
  input: { type: 'object', required: ['message'], properties: { message: { type: 'string' } } },
  output: { type: 'object', required: ['by', 'reason', 'at'], properties: outputs },
  effects: [],
  run: () => Promise.reject(new Error('an approval has no phase to run')),
};
