/** Rows as a table, or as blocks if the table is wider than the terminal. The first row is the heading. */

type Row = readonly string[];

/** `width` is that of the terminal. Default: no limit. */
export function tableText(rows: readonly Row[], width = Number.POSITIVE_INFINITY): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const lines = rows.map((row) => line(row, widths));
  return lines.every(({ length }) => length <= width) ? lines.join('\n') : blocksText(rows);
}

const line = (row: Row, widths: readonly number[]): string =>
  row
    .map((cell, column) => cell.padEnd(widths[column] ?? 0))
    .join('  ')
    .trimEnd();

/** One block a row, and one line a cell. A command in a cell stays in one piece, so that it can be copied. */
function blocksText([heading = [], ...rows]: readonly Row[]): string {
  const width = Math.max(...heading.map(({ length }) => length));
  const blockOf = (row: Row) =>
    row.flatMap((cell, column) => (cell === '' ? [] : `${(heading[column] ?? '').padEnd(width)}  ${cell}`)).join('\n');
  return rows.map(blockOf).join('\n\n');
}

/** The width of a terminal. A stream that is not a terminal, or a terminal that reports no size, has no limit. */
export const widthOf = ({ isTTY, columns }: NodeJS.WriteStream): number =>
  isTTY && columns > 0 ? columns : Number.POSITIVE_INFINITY;
