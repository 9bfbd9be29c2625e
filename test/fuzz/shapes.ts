// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders look like JavaScript templates
/** Texts that are almost valid, or valid and unusual. Random changes of bytes would rarely create them. */
import fc from 'fast-check';
import { stringify } from 'yaml';
import { codePoint } from '../helpers/code-points.ts';

/** Creates inputs of one kind. */
export type Shape = fc.Arbitrary<Buffer>;

type Json = Record<string, unknown> | unknown[];

const ODD_TEXTS = [
  ...['', ' ', '\u0000', '\ufeff', '\r\n', '\u2028', '\u0085', '\u001b[31m', '\ud800', '\udc00\ud800', 'é', '😀'],
  ...[
    '~',
    'null',
    'yes',
    '0x1f',
    '0o7',
    '.inf',
    '.nan',
    '-',
    '?',
    ':',
    '|',
    '>',
    '&a',
    '*a',
    '!!binary',
    '%',
    '@',
    '`',
  ],
  ...['https://', 'https://a:99999', 'https://[::1]:6443', 'HTTPS://A', 'file:///etc/passwd', 'sha256:', '2026-01-01'],
  ...['${{ inputs.x }}', '${{', '${{ steps["a"].outputs.b }}', '1h1h', '1e3s', '(a+)+$', '['],
  'x'.repeat(3000),
  '%s%n',
];
const ODD_KEYS = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'length',
  '<<',
  '$ref',
  '$id',
  '',
  '0',
];

const text = fc.oneof(fc.constantFrom(...ODD_TEXTS), fc.string({ unit: codePoint, maxLength: 20 }), fc.string());
const number = fc.constantFrom(0, -0, -1, 1.5, 1e308, 2 ** 31, 2 ** 53 + 2, 410, 404, 1e21);
const leaf = fc.oneof(text, number, fc.constantFrom<unknown>(null, true, false));
const odd: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: false },
    leaf,
    leaf,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.tuple(fc.oneof(fc.constantFrom(...ODD_KEYS), text), tie('value')), { maxLength: 4 }).map(mappingOf),
  ),
})).value;

/** With `__proto__` as a key like any other. */
function mappingOf(entries: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  const mapping: Record<string, unknown> = {};
  for (const [name, value] of entries)
    Object.defineProperty(mapping, name, { value, enumerable: true, configurable: true, writable: true });
  return mapping;
}

const EDITS = ['replace', 'replace', 'replace', 'drop', 'add', 'rename', 'wrap', 'double', 'swap'] as const;
interface Edit {
  kind: (typeof EDITS)[number];
  at: number;
  other: number;
  key: string;
  value: unknown;
}
const edit: fc.Arbitrary<Edit> = fc.record({
  kind: fc.constantFrom(...EDITS),
  at: fc.nat(),
  other: fc.nat(),
  key: fc.oneof(fc.constantFrom(...ODD_KEYS), text),
  value: odd,
});

/** Some of `values`, with up to four of its nodes changed. */
export function bent(...values: readonly Json[]): fc.Arbitrary<unknown> {
  return fc
    .tuple(fc.constantFrom(...values), fc.array(edit, { maxLength: 4 }))
    .map(([value, edits]) => edits.reduce(edited, structuredClone(value) as Json));
}

/** A list or mapping, and the key of one thing in it. */
type Place = readonly [Json, string];

const placesIn = (value: unknown): Place[] =>
  typeof value !== 'object' || value === null
    ? []
    : Object.entries(value).flatMap(([key, inner]) => [[value as Json, key] as const, ...placesIn(inner)]);

function edited(root: Json, { kind, at, other, key, value }: Edit): Json {
  const places = placesIn(root);
  const [place, second] = [places[at % places.length], places[other % places.length]];
  if (place === undefined || second === undefined) return root;
  const [parent, name] = place as [Record<string, unknown>, string];
  const there = parent[name];
  const put = (newName: string, newValue: unknown) =>
    Object.defineProperty(parent, newName, { value: newValue, enumerable: true, configurable: true, writable: true });
  if (kind === 'replace') put(name, value);
  else if (kind === 'add' && !Array.isArray(parent)) put(key, value);
  else if (kind === 'wrap') put(name, other % 2 === 0 ? [there] : { [key === '__proto__' ? 'a' : key]: there });
  else if (kind === 'swap') put(name, structuredClone(second[0][second[1] as never]));
  else if (Array.isArray(parent)) parent.splice(Number(name), kind === 'drop' ? 1 : 0, structuredClone(there));
  else {
    delete parent[name];
    if (kind === 'rename' || kind === 'double') put(key, there);
  }
  return root;
}

export const asJson = (value: unknown): Buffer => Buffer.from(JSON.stringify(value) ?? '');
/** As YAML where the library can write it, else as JSON, which is YAML too. */
export function asYaml(value: unknown): Buffer {
  try {
    return Buffer.from(stringify(value));
  } catch {
    return asJson(value);
  }
}

/** Tokens in any order. */
export const soup = (tokens: readonly string[]): Shape =>
  fc.array(fc.constantFrom(...tokens), { maxLength: 40 }).map((chosen) => Buffer.from(chosen.join('')));

/**
 * One or a few tokens again and again behind a head, up to `bytesMax`: what takes time or stack by its length. `#` is
 * the count.
 */
export const swollen = (tokens: readonly string[], bytesMax: number, heads = tokens): Shape =>
  fc
    .record({
      head: fc.oneof(fc.constant(heads[0] ?? ''), fc.constantFrom(...heads)),
      unit: fc.array(fc.constantFrom(...tokens, '#'), { minLength: 1, maxLength: 3 }).map((chosen) => chosen.join('')),
      tail: fc.option(fc.constantFrom(...tokens), { nil: '' }),
      bytes: fc.oneof(
        { weight: 90, arbitrary: fc.constantFrom(300, 1_000, 3_000) },
        { weight: 10, arbitrary: fc.constant(30_000) },
        { weight: 1, arbitrary: fc.constant(bytesMax) },
      ),
    })
    .map(({ head, unit, tail, bytes }) => {
      const units: string[] = [head];
      for (let length = head.length + tail.length, count = 0; length < bytes; count++) {
        const next = unit.replaceAll('#', count.toString(36));
        length += Buffer.byteLength(next);
        if (length <= bytes) units.push(next);
      }
      return Buffer.from(units.join('') + tail);
    });

export const YAML_TOKENS = [
  ...[
    '\n',
    ' ',
    '  ',
    '\t',
    '\r\n',
    '\ufeff',
    '\u0000',
    '- ',
    '? ',
    ': ',
    ':',
    ',',
    '[',
    ']',
    '{',
    '}',
    'a',
    'b: ',
    '0',
  ],
  ...[
    '&a ',
    '*a',
    '&#',
    '*# ',
    '!!str ',
    '!<',
    '!a!b ',
    '%YAML 1.2\n',
    '%TAG ! tag:x,2026:\n',
    '---\n',
    '...\n',
    '# x\n',
  ],
  ...[
    '|\n',
    '>-\n',
    '|9+\n',
    "'",
    '"',
    '\\',
    '\\u',
    '\\ud800',
    '<<: ',
    '<<: *a\n',
    '__proto__: ',
    'a#: ',
    '\na: ',
    '\n- ',
  ],
  ...['[[', '{a: ', '- - ', '&a [*a, *a]', '\n  ', '\u0085', '\u2028', '~', '1e9', '!!binary '],
];

/** Any YAML: shapes of a parser's own tests, and those of `values` bent. */
export const yamlShape = (bytesMax: number, ...values: readonly Json[]): Shape =>
  fc.oneof(
    { weight: 4, arbitrary: bent(...values).map(asYaml) },
    { weight: 2, arbitrary: bent(...values).map(asJson) },
    { weight: 2, arbitrary: soup(YAML_TOKENS) },
    { weight: 1, arbitrary: swollen(YAML_TOKENS, bytesMax) },
  );
export const jsonShape = (...values: readonly Json[]): Shape => bent(...values).map(asJson);
