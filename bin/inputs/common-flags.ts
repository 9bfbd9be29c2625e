/** Flags that several commands share. */
import { Flags } from '@oclif/core';

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
  output: Flags.option({
    options: ['text', 'json'] as const,
    default: 'text',
    description: 'Format of the result on standard output (default text)',
  })(),
};

/** For commands that run or undo something. */
export const eventsFlag = Flags.option({
  options: ['text', 'json', 'jsonl'] as const,
  default: 'text',
  description: 'Result as text or JSON, or each event of the run as a line of JSON (default text)',
})();

export const envFlag = Flags.string({
  multiple: true,
  multipleNonGreedy: true,
  helpValue: 'NAME|FILE',
  description: 'Environment overlay: a built-in name or a file (repeatable; later ones win)',
});

/** A flag with several values: separated by commas, or repeated. */
export const listFlag = { multiple: true, multipleNonGreedy: true, delimiter: ',' } as const;
