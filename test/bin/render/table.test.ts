/** Tables, and what takes their place at a narrow terminal. */
import { expect, test } from 'vitest';
import { tableText, widthOf } from '../../../bin/render/table.ts';

const rows = [
  ['RUN', 'STATUS', 'NEXT'],
  ['20261201-094931-2bab', 'failed', 'join resume 20261201-094931-2bab'],
  ['20261130-094931-2bab', 'succeeded', ''],
];

test('a table that fits the terminal is aligned in columns', () => {
  const table = [
    'RUN                   STATUS     NEXT',
    '20261201-094931-2bab  failed     join resume 20261201-094931-2bab',
    '20261130-094931-2bab  succeeded',
  ].join('\n');
  expect(tableText(rows)).toBe(table);
  expect(tableText(rows, 65)).toBe(table);
});

test('a table that is wider than the terminal becomes a block for each row, with whole commands', () => {
  expect(tableText(rows, 60)).toBe(
    [
      'RUN     20261201-094931-2bab',
      'STATUS  failed',
      'NEXT    join resume 20261201-094931-2bab',
      '',
      'RUN     20261130-094931-2bab',
      'STATUS  succeeded',
    ].join('\n'),
  );
});

test('only a terminal that reports a size limits the width', () => {
  const widthAt = (stream: object) => widthOf(stream as NodeJS.WriteStream);
  expect(widthAt({ isTTY: true, columns: 60 })).toBe(60);
  expect(widthAt({ isTTY: true, columns: 0 })).toBe(Number.POSITIVE_INFINITY);
  expect(widthAt({ columns: undefined })).toBe(Number.POSITIVE_INFINITY);
});
