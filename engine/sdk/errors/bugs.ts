/** Errors of bugs of Joinery or of a phase. */
import { type ErrorText, EXIT } from './join-error.ts';
import { list } from './words.ts';

const REPORT =
  'This is a bug in the phase, not in what you typed. Please report it with the output of the same command.';

export const bugs = {
  E_ATTEMPT_ENDED: (d: { what: string }) => ({
    message: `a phase went on after its attempt had ended: ${d.what} was refused`,
    hint: REPORT,
    exitCode: EXIT.bug,
  }),
  E_CHANGE_TOO_LARGE: (d: { what: string; bytesMax: number }) => ({
    message: `a phase tried a change that is larger than ${d.bytesMax} bytes: ${d.what}`,
    hint: REPORT,
    exitCode: EXIT.bug,
  }),
  E_EFFECT_UNDECLARED: (d: { what: string }) => ({
    message: `a phase tried something it does not declare: ${d.what}`,
    hint: REPORT,
    exitCode: EXIT.bug,
  }),
  E_OUTPUT: (d: { phase: string; problems: readonly string[] }) => ({
    message: `phase ${d.phase} returned what its schema does not allow: ${list(d.problems)}`,
    hint: REPORT,
    exitCode: EXIT.bug,
  }),
  E_SECRET_SHOWN: (d: { program: string }) => ({
    message: `the command line of ${d.program} would show a secret to every user of this machine`,
    hint: `${REPORT} The phase should hand the secret over in a file.`,
    exitCode: EXIT.bug,
  }),
  E_STEP_STUCK: (d: { step: string; graceMs: number }) => ({
    message: `step ${d.step} did not stop within ${d.graceMs / 1000} s of being told to`,
    hint: REPORT,
    exitCode: EXIT.bug,
  }),
  E_UNDECIDED: (d: { what: string }) => ({
    message: `a dry run cannot know ${d.what}`,
    hint: 'The steps that depend on it are not part of the plan: run without --dry-run to have them done.',
    exitCode: EXIT.bug,
  }),
} satisfies Record<`E_${string}`, (facts: never) => ErrorText>;
