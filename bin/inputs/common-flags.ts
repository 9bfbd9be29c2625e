/** Flags that several commands share. */
import { Flags } from '@oclif/core';
import { OUTPUT_FORMATS, VERBOSE } from './raw-flags.ts';

/** Flags of every command. */
export const globalFlags = {
  color: Flags.option({
    options: ['auto', 'always', 'never'] as const,
    default: 'auto',
    helpGroup: 'GLOBAL',
    description: 'Colours at a terminal, always or never (default auto; NO_COLOR and FORCE_COLOR count, too)',
  })(),
  v: Flags.integer({
    char: 'v',
    default: 0,
    helpGroup: 'GLOBAL',
    description: `Verbosity; ${VERBOSE} and above print the full error chain`,
  }),
  verbose: Flags.boolean({ helpGroup: 'GLOBAL', description: `Same as -v ${VERBOSE}` }),
};

/** For commands that print a document. */
export const outputFlag = Flags.option({
  char: 'o',
  options: OUTPUT_FORMATS,
  default: 'text',
  description: 'Format of the result on standard output (default text)',
})();

/** For commands that show progress. */
export const quietFlag = Flags.boolean({ char: 'q', description: 'Print the result and errors, but no progress' });

/** Flags of every command that runs something. */
export const runFlags = {
  'dry-run': Flags.boolean({ description: 'Show what would change: reads are real, nothing is written' }),
  diff: Flags.boolean({ description: 'Include the content of files (run --dry-run always does)' }),
  'on-failure': Flags.option({
    options: ['keep', 'undo'] as const,
    description:
      'Keep or undo the changes of a failed or cancelled run (default: keep if it failed, undo if cancelled)',
  })(),
  plugin: Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'DIR',
    description: 'Load the plugin in DIR (repeatable)',
  }),
  root: Flags.string({
    default: '/',
    helpValue: 'DIR',
    description: 'Operate on the filesystem under DIR instead of / (no root required)',
  }),
  output: outputFlag,
  quiet: quietFlag,
};

/** For commands that run or undo something. */
export const eventsFlag = Flags.option({
  char: 'o',
  options: OUTPUT_FORMATS,
  default: 'text',
  description: 'Result as text, JSON or YAML, or each event of the run as a line of JSON (default text)',
})();

export const envFlag = Flags.string({
  multiple: true,
  multipleNonGreedy: true,
  helpValue: 'NAME|FILE',
  description: 'Environment overlay: a built-in name or a file (repeatable; later ones win)',
});

/** A flag with several values: separated by commas, or repeated. */
export const listFlag = { multiple: true, multipleNonGreedy: true, delimiter: ',' } as const;
