/** Words for a POSIX shell. */

/** Every shell reads the text back as one word. */
export const shellWord = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

export const shellWords = (words: readonly string[]): string => words.map(shellWord).join(' ');
