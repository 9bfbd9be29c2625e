/** JSON files, with words of our own for what is wrong with them. */

/** Throws an Error of one line with the line where the JSON ends, if that is known. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const [, position] = /at position (\d+)/.exec((error as SyntaxError).message) ?? [];
    const line = position === undefined ? '' : ` (line ${text.slice(0, Number(position)).split('\n').length})`;
    throw new Error(`it is not JSON${line}`, { cause: error });
  }
}
