// biome-ignore-all lint/suspicious/noTemplateCurlyInString: a placeholder is written like a JavaScript template
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Cel } from '../../../engine/expressions/cel.ts';
import { type Condition, holds, parseCondition } from '../../../engine/expressions/conditions.ts';
import { type Lookup, type Reference, referenceText, UNKNOWN } from '../../../engine/expressions/references.ts';
import { isSecret, type Schema, Secret } from '../../../engine/sdk/index.ts';
import { printedForms, thrownBy } from '../../helpers/errors.ts';
import { processorMs } from '../../helpers/processor-time.ts';

const CANARY = 'canary-7f3a-0123456789';
const VALUES: Record<string, unknown> = {
  'inputs.role': 'worker',
  'inputs.count': 3,
  'inputs.ratio': 2,
  'inputs.tags': ['a', 'bb', 'ccc'],
  'inputs.empty': [],
  'inputs.labels': { zone: 'z1', rack: 4 },
  'inputs.token': new Secret(CANARY),
  'inputs.off': false,
  'host.name': 'w1.example.org',
  'gates.New': true,
  'steps["tls-bootstrap"].outputs.size': 7,
  'steps.a.outputs.later': UNKNOWN,
  'steps.a.status': 'skipped',
};
const lookup: Lookup = (reference) => VALUES[referenceText(reference)];
const resultOf = (text: string, from: Lookup = lookup): unknown => new Cel(text).evaluate(from);
const messageOf = async (act: () => unknown): Promise<string> => ((await thrownBy(act)) as Error).message;

describe('an expression', () => {
  test.each<[string, unknown]>([
    ['inputs.count + 1', 4],
    ['inputs.count + 1 > 3 && gates.New', true],
    ['inputs["role"] == "worker" ? "w" : "c"', 'w'],
    ['inputs.role in ["worker", "control-plane"]', true],
    ['host.name.split(".")[0].upperAscii()', 'W1'],
    ['inputs.tags.filter(t, t.size() > 1).map(t, t + "!")', ['bb!', 'ccc!']],
    ['inputs.tags.exists(t, t == "bb") && !inputs.tags.all(t, t == "bb")', true],
    ['inputs.tags[1]', 'bb'],
    ['inputs.tags.join(",") + "/" + string(inputs.count)', 'a,bb,ccc/3'],
    ['inputs.labels.zone + string(inputs.labels["rack"])', 'z14'],
    ['"zone" in inputs.labels', true],
    ['steps["tls-bootstrap"].outputs.size * 2', 14],
    ['has(inputs.role) && !has(inputs.nothing)', true],
    ['has(inputs.labels.zone) && !has(inputs.labels.row)', true],
    ['inputs.?nothing.orValue("default")', 'default'],
    ['inputs.?role.orValue("default")', 'worker'],
    ['steps.b.?outputs.x.orValue(inputs.count)', 3],
    ['inputs.?nothing', undefined],
    ['inputs.?role', 'worker'],
    ['steps.a.status == "skipped"', true],
    ['{"a": inputs.count, "b": [inputs.role, 1.5]}', { a: 3, b: ['worker', 1.5] }],
    ['{"__proto__": 1}', {}],
    ['host.name.matches("^w[0-9]+\\\\.")', true],
    ['inputs.tags.exists(t, t.matches("^c{3}$"))', true],
    ['"matches(" + inputs.role', 'matches(worker'],
    ['inputs.role // matches\n . matches ("k")', true],
    ['inputs.off || inputs.count == 3', true],
    ['1 + 2 * 3 - 7 % 4', 4],
    ['int("0042") + size(inputs.empty)', 42],
  ])('the expression %s has the value %j', (text, expected) => {
    expect(resultOf(text)).toEqual(expected);
  });

  test('a checked expression counts with the number type of its schema', () => {
    const schemas: Schema[] = [{ type: 'number' }];
    const cel = new Cel('inputs.ratio * 1.5');
    expect(cel.check(schemas)).toBe('double');
    expect(cel.evaluate(lookup)).toBe(3);
  });

  test.each<[string, Schema[], string]>([
    ['inputs.a + 1', [{ type: 'string' }], '+ does not work on string and int'],
    ['inputs.a == inputs.b', [{ type: 'string' }, { type: 'integer' }], '== does not work on string and int'],
    ['inputs.a.size() + "x"', [{ type: 'string' }], '+ does not work on int and string'],
    ['inputs.a ? 1 : 2', [{ type: 'string' }], 'a condition must be a bool, not string, in "inputs.a"'],
    ['inputs.a && true', [{ type: 'integer' }], '&& and || need a bool on both sides, not int'],
    [
      'inputs.a.exists(x, x + 1 > 2)',
      [{ type: 'array', items: { type: 'string' } }],
      '+ does not work on string and int, in "x + 1"',
    ],
    ['inputs.a == 1', [{ enum: ['x', 'y'] }], '== does not work on string and int'],
  ])('the expression %s has the wrong types and is refused before it is evaluated', async (text, schemas, message) => {
    expect(await messageOf(() => new Cel(text).check(schemas))).toBe(message);
  });

  test.each<[string, string | RegExp]>([
    ['', 'syntax error at 1:1: the expression ends too early'],
    ['inputs.a +', 'syntax error at 1:11: the expression ends too early'],
    ['inputs', 'inputs is not a value: write inputs.x, host.x, gates.X, run.status, or steps["x"].outputs.y'],
    ['steps.a', 'steps.a is not a value: write inputs.x, host.x, gates.X, run.status, or steps["x"].outputs.y'],
    [
      'steps.a.outputs',
      'steps.a.outputs is not a value: write inputs.x, host.x, gates.X, run.status, or steps["x"].outputs.y',
    ],
    ['steps.a.output.b', 'a step has outputs and status, but no output'],
    ['inputs[host.name]', 'names must be literals: inputs["x"]'],
    ['steps[inputs.a].outputs.b', 'names must be literals: steps["x"]'],
    ['process.env', 'there is no process: write inputs.x, host.x, gates.X, run.status, or steps["x"].outputs.y'],
    ['input.a', 'there is no input; did you mean inputs?'],
    ['_0', 'there is no _0: write inputs.x, host.x, gates.X, run.status, or steps["x"].outputs.y'],
    ['cel.bind(x, 1, x)', 'there is no method bind'],
    ['timestamp("2024-01-01T00:00:00Z")', 'there is no function timestamp'],
    ['dyn(1)', 'there is no function dyn'],
    ['inputs.a.startWith("b")', 'there is no method startWith; did you mean startsWith?'],
    ['inputs.a.map(inputs, 1)', 'a variable cannot be called inputs: choose another name'],
    ['inputs.a.map(_1, 1)', 'a variable cannot be called _1: choose another name'],
    ['inputs.a.map("x", 1)', 'map needs a variable first: map(item, …), in ""x""'],
    ['inputs.a.matches("(")', 'RE2 does not support the pattern (: a ( is not closed'],
    [
      'inputs.a.matches("(?=x)")',
      'RE2 does not support the pattern (?=x): groups of this kind do not exist: (?= at character 1',
    ],
    ['inputs.a.matches( // .matches(\n "a")', 'matches cannot be used here'],
    ['[1].map(a, [1].map(b, [1].map(c, [1].map(d, d))))', 'comprehensions can be nested at most 3 deep'],
    [`"${'x'.repeat(4_096)}"`, 'an expression can have at most 4096 characters'],
    ['('.repeat(200) + ')'.repeat(200), 'syntax error at 1:41: the expression is nested too deeply (at most 40)'],
    [
      Array.from({ length: 600 }, () => '1').join('+'),
      /^syntax error at 1:\d+: the expression has too many parts \(at most 500\)$/,
    ],
    [`[${'1,'.repeat(300)}1]`, /^syntax error at 1:\d+: the list has too many items \(at most 200\)$/],
  ])('the expression %s is refused when it is parsed', async (text, message) => {
    const actual = await messageOf(() => new Cel(text));
    if (typeof message === 'string') expect(actual).toBe(message);
    else expect(actual).toMatch(message);
  });

  test.each<[string, string]>([
    ['inputs.count / 0', 'the divisor is 0'],
    ['inputs.tags[9]', 'the list has no item 9: it has 3 items, from 0'],
    ['inputs.nothing == 1', 'inputs.nothing has no value'],
    ['9007199254740993 + 0', 'an integer of more than 53 bits'],
    ['inputs.labels.constructor', 'the value has no key constructor'],
    [
      'inputs.role.matches(inputs.tags.map(t, "(").join(""))',
      'RE2 does not support the pattern (((: a ( is not closed',
    ],
  ])('the error of the expression %s is readable', async (text, message) => {
    expect(await messageOf(() => resultOf(text))).toBe(message);
  });
});

describe('the cost of an expression', () => {
  const numbers: Lookup = ({ kind }) => (kind === 'input' ? Array.from({ length: 1_000 }, (_, index) => index) : 'a');
  test.each<[string, string]>([
    ['lists in lists in lists', 'inputs.n.map(a, inputs.n.map(b, inputs.n.map(c, a + b + c)))'],
    ['a list that doubles', `${'[inputs.n]'}${'.map(l, l + l)'.repeat(30)}`],
    ['a text that doubles', `[host.name]${'.map(t, t + t)'.repeat(35)}`],
    ['conditions that hide the error', 'inputs.n.exists(a, inputs.n.exists(b, inputs.n.exists(c, a + b + c < 0)))'],
  ])('the cost of an expression is limited: %s', async (_, text) => {
    const begun = processorMs();
    expect(await messageOf(() => resultOf(text, numbers))).toBe('it takes too long to evaluate');
    expect(processorMs() - begun).toBeLessThan(3_000);
  });

  test.each([
    ['nested repetition', '^(a+)+$'],
    ['alternatives that overlap', '^(a|a)*$'],
    ['a repetition of repetitions', '^(a*)*b$'],
  ])('a hostile pattern takes linear time: %s', (_, pattern) => {
    const begun = processorMs();
    expect(resultOf(`host.name.matches("${pattern}")`, () => `${'a'.repeat(50_000)}!`)).toBe(false);
    expect(processorMs() - begun).toBeLessThan(3_000);
  });

  test('a pattern that compiles to a huge program takes linear time', async () => {
    const begun = processorMs();
    await messageOf(() => resultOf('host.name.matches("((a{100}){100}){100}")'));
    expect(await messageOf(() => resultOf('host.name.matches(inputs.n)', () => 'a'.repeat(501)))).toBe(
      'a pattern can have at most 500 characters',
    );
    expect(processorMs() - begun).toBeLessThan(3_000);
  });

  test('any text is quickly parsed or refused', () => {
    const piece = fc.constantFrom(
      ...['inputs', '.a', '.?b', '["c"]', '(', ')', '[', ']', '{', '}', '1', '"x"', ' && ', ' || ', '!', '?', ':', ','],
      ...['has(', '.map(x, ', '.exists(x, ', ' + ', ' == ', 'steps.a.outputs.b', '.matches(', '//', '\n', "'", 'r"'],
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const begun = processorMs();
        try {
          new Cel(pieces.join('')).evaluate(() => 'x');
        } catch (error) {
          expect((error as Error).message).not.toBe('');
        }
        expect(processorMs() - begun).toBeLessThan(1_000);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('a secret', () => {
  test('text made from a secret is a secret', () => {
    const value = resultOf('inputs.role + inputs.token.substring(0, 6)');
    expect(isSecret(value) && value.reveal()).toBe('workercanary');
    expect(printedForms(value)).not.toContain('canary');
  });

  test('an error never reveals a secret', async () => {
    for (const text of ['int(inputs.token)', 'inputs.token.matches(inputs.token + "(")', 'inputs.token == "x"']) {
      const error = await thrownBy(() => resultOf(text));
      expect((error as Error).message).toBe(
        'it has no value (the reason is withheld, because the expression reads a secret)',
      );
      expect(printedForms(error)).not.toContain('canary');
    }
  });

  test('has() and branches that are not evaluated do not read a secret', () => {
    expect(resultOf('has(inputs.token)')).toBe(true);
    expect(resultOf('inputs.off ? inputs.token : "none"')).toBe('none');
  });
});

describe('values that are only known after the run', () => {
  test.each<[string, unknown]>([
    ['steps.a.outputs.later', UNKNOWN],
    ['steps.a.outputs.later + 1 > 2', UNKNOWN],
    ['has(steps.a.outputs.later)', UNKNOWN],
    ['steps.a.?outputs.later.orValue(1)', UNKNOWN],
    ['steps.a.outputs.later || gates.New', true],
    ['gates.New || steps.a.outputs.later', true],
    ['steps.a.outputs.later || inputs.off', UNKNOWN],
    ['steps.a.outputs.later && inputs.off', false],
    ['inputs.off && steps.a.outputs.later', false],
    ['steps.a.outputs.later && gates.New', UNKNOWN],
    ['!steps.a.outputs.later', UNKNOWN],
    ['gates.New ? 1 : steps.a.outputs.later', 1],
    ['steps.a.outputs.later ? 1 : 1', UNKNOWN],
    ['steps.a.outputs.later || 1 / 0 == 1', UNKNOWN],
    ['inputs.tags.exists(t, t == steps.a.outputs.later || t == "bb")', true],
  ])('values that are unknown before the run leave %s as %s', (text, expected) => {
    expect(resultOf(text)).toBe(expected);
  });
});

describe('guards that an expression contains', () => {
  const guardsOf = (text: string): [string, boolean][] =>
    new Cel(text).sites
      .filter(({ mode }) => mode === 'read')
      .map(({ reference, isGuarded }) => [referenceText(reference), isGuarded]);
  test.each<[string, boolean]>([
    ['has(inputs.a) && inputs.a == 1', true],
    ['has(inputs.b) && inputs.a == 1', false],
    ['has(inputs.a) || inputs.a == 1', false],
    ['!has(inputs.a) || inputs.a == 1', true],
    ['has(inputs.a) ? inputs.a == 1 : true', true],
    ['has(inputs.a) ? true : inputs.a == 1', false],
    ['!has(inputs.a) ? true : inputs.a == 1', true],
    ['(has(inputs.b) && has(inputs.a)) && (true || inputs.a == 1)', true],
    ['[1].exists(x, has(inputs.a) && inputs.a == x)', true],
    ['!(has(inputs.a) && has(inputs.b)) || inputs.a == 1', true],
    ['!(has(inputs.a) || has(inputs.b)) || inputs.a == 1', false],
    ['inputs.a == 1 && has(inputs.a)', false],
  ])('%s guards inputs.a: %s', (text, isGuarded) => {
    expect(guardsOf(text)).toEqual([['inputs.a', isGuarded]]);
  });
});

describe('a condition', () => {
  test('a condition of has() alone has the same value with and without the library', () => {
    const term = fc.tuple(fc.boolean(), fc.constantFrom('a', 'b', 'c'));
    fc.assert(
      fc.property(fc.array(term, { minLength: 1, maxLength: 4 }), fc.subarray(['a', 'b', 'c']), (terms, names) => {
        const text = terms.map(([not, name]) => `${not ? '!' : ''}has(inputs.${name})`).join(' && ');
        const present: Lookup = (reference: Reference) =>
          'name' in reference && names.includes(reference.name) ? 1 : undefined;
        const condition: Condition = parseCondition(text);
        expect(condition.kind).toBe('presence');
        expect(holds(condition, present)).toBe(new Cel(text).evaluate(present));
      }),
    );
  });

  test('a condition that is not a boolean fails', async () => {
    expect(await messageOf(() => holds(parseCondition('inputs.role'), lookup))).toBe(
      'if inputs.role: it is not a boolean',
    );
    expect(await messageOf(() => parseCondition('${{ inputs.a }}'))).toBe(
      'a condition is a bare expression: remove the ${{',
    );
  });
});
