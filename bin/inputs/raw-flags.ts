/** Flags that decide which other flags exist. They are read before the command line is parsed. */

/** The values of `flag`, as typed. */
export const valuesOfFlag = (flag: string, argv: readonly string[]): string[] =>
  argv.flatMap((word, index) => {
    if (word.startsWith(`${flag}=`)) return [word.slice(flag.length + 1)];
    const next = argv[index + 1];
    return word === flag && next !== undefined ? [next] : [];
  });
