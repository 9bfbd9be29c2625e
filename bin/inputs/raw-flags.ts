/** Flags that decide which other flags exist. They are read before the command line is parsed. */

/** The values of `flag`, as typed. */
export const valuesOfFlag = (flag: string, argv: readonly string[]): string[] =>
  argv.flatMap((word, index) => {
    if (word.startsWith(`${flag}=`)) return [word.slice(flag.length + 1)];
    const next = argv[index + 1];
    return word === flag && next !== undefined ? [next] : [];
  });

export const OUTPUT_FORMATS = ['text', 'json', 'yaml', 'jsonl'] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

/** The format that `--output` or `-o` asks for: text, unless it is one of the others. */
export function outputOf(argv: readonly string[]): OutputFormat {
  const joined = argv.flatMap((word) => /^-o=?(.+)$/.exec(word)?.[1] ?? []);
  const asked = [...valuesOfFlag('--output', argv), ...valuesOfFlag('-o', argv), ...joined];
  return OUTPUT_FORMATS.find((format) => asked.at(-1) === format) ?? 'text';
}

/** The verbosity from which on errors show their causes. */
export const VERBOSE = 5;

/** An error may come before the flags are parsed. */
export function verbosityOf(argv: readonly string[]): number {
  if (argv.includes('--verbose')) return VERBOSE;
  const joined = argv.flatMap((word) => /^-v=?(\d+)$/.exec(word)?.[1] ?? []);
  return Number([...valuesOfFlag('--v', argv), ...valuesOfFlag('-v', argv), ...joined].at(-1) ?? 0);
}
