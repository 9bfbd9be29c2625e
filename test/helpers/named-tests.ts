/** Tests that a document names, so that what it claims is held by something. */

/** `` `test/file.ts` › title ``, as it stands in a cell of a table. */
export const namedIn = (text: string): { file: string; title: string }[] =>
  [...text.matchAll(/`(test\/[^`]+)` › (.+?)(?= \||<br>|$)/gm)].map(([, file = '', title = '']) => ({ file, title }));

/** Whether the title is a whole text in that file: of a test, or of a row of a table of tests. */
export const holds = (source: string, title: string): boolean =>
  [`'${title.replaceAll("'", "\\'")}'`, `"${title}"`, `\`${title}\``].some((quoted) => source.includes(quoted));
