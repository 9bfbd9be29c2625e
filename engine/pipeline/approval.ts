/** An approval step as a pipeline declares it. engine/run waits for the answer; engine/journal records it. */
import type { AnyPhase } from '../sdk/phase.ts';

const afterRun = { 'x-known': 'after-run' } as const;
const outputs = {
  by: { type: 'string', description: 'Who approved', ...afterRun },
  reason: { type: 'string', description: 'The reason they gave', ...afterRun },
  at: { type: 'string', description: 'When they approved (RFC 3339)', ...afterRun },
} as const;

/** The inputs and outputs of an approval step, for code that expects every step to have a phase. The run never calls its `run`. */
export const approvalPhase: AnyPhase = {
  name: 'approval',
  summary: 'Wait for an approval',
  input: { type: 'object', required: ['message'], properties: { message: { type: 'string' } } },
  output: { type: 'object', required: ['by', 'reason', 'at'], properties: outputs },
  effects: [],
  run: () => Promise.reject(new Error('an approval step has no phase to run')),
};
