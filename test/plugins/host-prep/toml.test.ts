import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rawValue, readToml, withValue } from '../../../plugins/host-prep/toml.ts';

const DOCUMENT = `# a
title = "x [not] # a comment" # a comment
"dotted".'key' = [ "a", # in a list
  'b]' ]
text = """
[no.table]
a = 1 \\""" still"""
[a.b]
  c = { d = 1, e = "}" }
[[list]]
c = 1
[ 'x.y' . "z" ]
  last = 1`;

describe('a TOML document', () => {
  test('a TOML document gives every value with its position', () => {
    const { entries, tables } = readToml(DOCUMENT);
    expect(entries.map(({ path, from, to }) => [path.join('|'), DOCUMENT.slice(from, to)])).toEqual([
      ['title', '"x [not] # a comment"'],
      ['dotted|key', `[ "a", # in a list\n  'b]' ]`],
      ['text', `"""\n[no.table]\na = 1 \\""" still"""`],
      ['a|b|c', '{ d = 1, e = "}" }'],
      ['list|[]|c', '1'],
      ['x.y|z|last', '1'],
    ]);
    expect(tables.map(({ path }) => path)).toEqual([
      ['a', 'b'],
      ['x.y', 'z'],
    ]);
  });

  test.each(['a', 'a = ', '= 1', '[a', '[a]] b', 'a = "x', 'a = [1', 'a = 1 b = 2\nc', 'a = """x'])(
    'a TOML document with a syntax error is refused: %j',
    (text) => {
      let said = '';
      try {
        // The reader refuses an unterminated value or a missing key; it leaves invalid values to containerd.
        readToml(text);
      } catch (error) {
        said = (error as Error).message;
      }
      expect(said === '' ? text : said).toMatch(/^cannot parse line \d as TOML|^a = 1 b/);
    },
  );

  test('an edit of a TOML document changes one value alone', () => {
    const key = fc.constantFrom('a', 'b', 'io.containerd/x', 'c d');
    const path = fc.array(key, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.array(fc.tuple(path, fc.nat(9)), { maxLength: 8 }), path, (assignments, target) => {
        let text = '# begin\n';
        try {
          for (const [at, value] of assignments) text = withValue(text, at, String(value));
          const changed = withValue(text, target, '77');
          expect(rawValue(changed, target)).toBe('77');
          expect(withValue(changed, target, '77')).toBe(changed);
          const all = (source: string) =>
            new Map(readToml(source).entries.map(({ path: at, from, to }) => [at.join('|'), source.slice(from, to)]));
          const [before, after] = [all(text), all(changed)];
          after.delete(target.join('|'));
          before.delete(target.join('|'));
          expect(after).toEqual(before);
        } catch (error) {
          expect((error as Error).message).toMatch(/is not a table section$/); // a value where a table is required
        }
      }),
    );
  });
});
