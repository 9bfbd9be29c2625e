/** Bugs of Joinery or of a phase. */

import { list } from './hints.ts';
import { type ErrorText, EXIT } from './join-error.ts';

const REPORT =
  'This is a bug in the phase, not a mistake in your command. Please report it with the output of the command.';

export const bugs = {
  E_ATTEMPT_ENDED: (d: { what: string }) => ({
    message: `a phase continued after its attempt had ended; Joinery refused: ${d.what}`,
    hint: REPORT,
    exitCode: EXIT.bug,
  }),
  E_CHANGE_TOO_LARGE: (d: { what: string; bytesMax: number }) => ({
    message: `a phase attempted a change of more than ${d.bytesMax} bytes: ${d.what}`,
    hint: REPORT,
    exitCode: EXIT.bug,
  }),
  E_EFFECT_UNDECLARED: (d: { what: string }) => ({
    message: `a phase attempted something that it does not declare: ${d.what}`,
    hint: REPORT,
    exitCode: EXIT.bug,
  }),
  E_OUTPUT: (d: { phase: string; problems: readonly string[] }) => ({
    message: `phase ${d.phase} returned outputs that do not match its schema: ${list(d.problems)}`,
    hint: REPORT,
    exitCode: EXIT.bug,
  }),
  E_SECRET_SHOWN: (d: { program: string }) => ({
    message: `the command line of ${d.program} would expose a secret to every user of this machine`,
    hint: `${REPORT} The phase should pass the secret in a file.`,
    exitCode: EXIT.bug,
  }),
  E_STEP_STUCK: (d: { step: string; graceMs: number }) => ({
    message: `step ${d.step} did not stop within ${d.graceMs / 1000} s after it was cancelled`,
    hint: REPORT,
    exitCode: EXIT.bug,
  }),
  E_UNDECIDED: (d: { what: string }) => ({
    message: `a dry run cannot determine ${d.what}`,
    hint: 'The plan omits the steps that depend on it. To run them, repeat the command without --dry-run.',
    exitCode: EXIT.bug,
  }),
} satisfies Record<`E_${string}`, (facts: never) => ErrorText>;
