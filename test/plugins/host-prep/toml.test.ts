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
  test('is read with every value where it is', () => {
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
    'that is broken is not guessed at: %j',
    (text) => {
      let said = '';
      try {
        // What is no value is somebody else's to refuse; what has no end, or no key, is not.
        readToml(text);
      } catch (error) {
        said = (error as Error).message;
      }
      expect(said === '' ? text : said).toMatch(/^cannot parse line \d as TOML|^a = 1 b/);
    },
  );

  test('changes in one value alone, and has it then', () => {
    const key = fc.constantFrom('a', 'b', 'io.containerd/x', 'c d');
    const path = fc.array(key, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.array(fc.tuple(path, fc.nat(9)), { maxLength: 8 }), path, (made, wanted) => {
        let text = '# begin\n';
        try {
          for (const [at, value] of made) text = withValue(text, at, String(value));
          const changed = withValue(text, wanted, '77');
          expect(rawValue(changed, wanted)).toBe('77');
          expect(withValue(changed, wanted, '77')).toBe(changed);
          const all = (source: string) =>
            new Map(readToml(source).entries.map(({ path: at, from, to }) => [at.join('|'), source.slice(from, to)]));
          const [before, after] = [all(text), all(changed)];
          after.delete(wanted.join('|'));
          before.delete(wanted.join('|'));
          expect(after).toEqual(before);
        } catch (error) {
          expect((error as Error).message).toMatch(/is not a table section$/); // a value where a table is required
        }
      }),
    );
  });
});
