// biome-ignore-all lint/suspicious/noTemplateCurlyInString: a hole of a pipeline is written like a JavaScript template
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { durationMs } from '../../../engine/documents/durations.ts';
import type { Reference } from '../../../engine/expressions/references.ts';
import { evaluate, parseTemplate, type Template } from '../../../engine/expressions/template.ts';
import { checkPipeline } from '../../../engine/pipeline/check.ts';
import { loadPipeline } from '../../../engine/pipeline/load.ts';
import { planOfPhase, standaloneInputs } from '../../../engine/pipeline/phase-plan.ts';
import { type Plan, planOf } from '../../../engine/pipeline/plan.ts';
import { Registry } from '../../../engine/pipeline/registry.ts';
import { inputOf } from '../../../engine/pipeline/values.ts';
import { isSecret, nearest, Secret, writes } from '../../../engine/sdk/index.ts';
import { joinErrorOf, shownOf } from '../../helpers/errors.ts';
import { madePhase } from '../../helpers/plans.ts';
import { processorMs } from '../../helpers/processor-time.ts';

const CANARY = 'canary-7f3a';
const HOST = { name: 'w1', privileged: true, architecture: 'amd64', distribution: 'debian' };

const greet = madePhase({
  id: 'greet',
  run: () => ({}),
  effects: [writes('/etc/motd', 0o644, 'the greeting')],
  input: {
    type: 'object',
    properties: {
      text: { type: 'string', pattern: '^[a-z0-9 ]+$' },
      count: { type: 'integer', minimum: 1, default: 1 },
      ratio: { type: 'number' },
      loud: { type: 'boolean' },
      tags: { type: 'array', items: { type: 'string' } },
      token: { type: 'string', writeOnly: true, pattern: '^[a-z]{6}$' },
    },
    required: ['text'],
    additionalProperties: false,
  },
  output: { type: 'object', properties: { message: { type: 'string' }, size: { type: 'integer' } } },
});
const listen = madePhase({
  id: 'listen',
  run: () => ({}),
  input: {
    type: 'object',
    properties: { heard: { type: 'string' }, ratio: { type: 'number' } },
    additionalProperties: false,
  },
});

function phases(): Registry {
  const registry = new Registry();
  registry.add(greet);
  registry.add(listen);
  return registry;
}

const HEAD = 'apiVersion: joinery.dev/v1\nkind: Pipeline\nmetadata: { name: made }\n'; // lines 1 to 3
const load = (body: string) => loadPipeline('made.yaml', HEAD + body);

describe('a pipeline that is wrong', () => {
  const aliasBomb = [
    'x: &a [1,1,1,1,1,1,1,1]',
    'y: &b [*a,*a,*a,*a,*a,*a,*a,*a]',
    'z: &c [*b,*b,*b,*b,*b,*b,*b,*b]',
    'steps: [*c,*c]',
  ];
  test.each<[string, string, string[]]>([
    [
      'an unknown key',
      'stepz: []\nsteps:\n  - id: a\n    uses: listen\n    neds: []\n',
      ['4:1: unknown key stepz; did you mean steps?', '8:5: unknown key neds; did you mean needs?'],
    ],
    [
      'an unknown key that resembles nothing',
      'colour: red\nsteps:\n  - { id: a, uses: listen }\n',
      ['4:1: unknown key colour'],
    ],
    ['a wrong type', 'steps:\n  - id: a\n    uses: listen\n    needs: b\n', ['7:12: must be an array']],
    [
      'a wrong form',
      'steps:\n  - id: a\n    uses: listen\n    timeout: 5 minutes\n',
      ['7:14: has the wrong form "5 minutes": it must be a time such as 30s or 1h30m, or ${{ inputs.x }}'],
    ],
    ['a missing key', 'defaults: {}\n', ['1:1: steps is missing']],
    [
      'an unknown type of input',
      'inputs:\n  type: object\n  properties: { x: { type: text } }\nsteps:\n  - { id: a, uses: listen }\n',
      ['6:28: must be one of string, integer, number, boolean, array'],
    ],
    [
      'an unknown phase, with the nearest',
      'steps:\n  - id: a\n    uses: gret\n',
      ['6:11: there is no phase gret; did you mean greet?'],
    ],
    [
      'an unknown phase that resembles none',
      'steps:\n  - id: a\n    uses: qwertyuiop\n',
      ['6:11: there is no phase qwertyuiop; join phase lists the phases'],
    ],
    [
      'two steps of one id',
      'steps:\n  - { id: a, uses: listen }\n  - { id: b, uses: listen }\n  - { id: a, uses: listen }\n',
      ['7:11: two steps have the id a'],
    ],
    [
      'two steps of one id, one after the other',
      'steps:\n  - { id: a, uses: listen }\n  - { id: a, uses: listen }\n',
      ['6:11: two steps have the id a'],
    ],
    [
      'unknown needs',
      'steps:\n  - { id: alpha, uses: listen }\n  - { id: b, uses: listen, needs: [alpa, zzzzz] }\n',
      ['6:36: there is no step alpa; did you mean alpha?', '6:42: there is no step zzzzz'],
    ],
    [
      'a step that needs itself',
      'steps:\n  - { id: a, uses: listen, needs: [a] }\n',
      ['5:35: these steps need each other: a → a'],
    ],
    [
      'a cycle of three',
      'steps:\n  - { id: a, uses: listen, needs: [c] }\n  - { id: b, uses: listen, needs: [a] }\n  - { id: c, uses: listen }\n',
      ['5:35: these steps need each other: a → c → b → a'],
    ],
    [
      'a cycle behind other steps',
      'steps:\n  - { id: z, uses: listen }\n  - { id: a, uses: listen, needs: [z, b] }\n  - { id: b, uses: listen }\n  - { id: c, uses: listen }\n',
      ['6:35: these steps need each other: a → b → a'],
    ],
    [
      'a hole that is no reference',
      'steps:\n  - id: a\n    uses: greet\n    with:\n      text: ${{ input.x }}\n',
      ['8:13: ${{ input.x }}: there is no input; did you mean inputs?'],
    ],
    [
      'a hole with a call in it',
      'steps:\n  - id: a\n    uses: greet\n    with: { text: "${{ inputs.x.toString() }}" }\n',
      ['7:19: ${{ inputs.x.toString() }}: there is no method toString'],
    ],
    [
      'control characters in what is wrong',
      'steps:\n  - id: "a\\e[31m"\n    uses: greet\n    "\\x9b": 1\n',
      ['5:9: has the wrong form "a\\u001b[31m": it must be of small letters, digits and dashes', '7:5: unknown key'],
    ],
    [
      'an input of objects that are no texts',
      'inputs: { type: object, properties: { x: { enum: [{ toString: 1 }] } } }\nsteps:\n  - { id: a, uses: listen, with: { heard: "a ${{ inputs.x }}", ratio: {} } }\n',
      ['6:71: ratio must be a number'],
    ],
    [
      'a hole that is never closed',
      'steps:\n  - id: a\n    uses: greet\n    with: { text: x, tags: ["${{ inputs.x"] }\n',
      ['7:29: a ${{ is not closed'],
    ],
    [
      'an unknown input',
      'inputs: { type: object, properties: { word: { type: string } } }\nsteps:\n  - id: a\n    uses: greet\n    with: { text: "${{ inputs.wordz }}" }\n',
      ['8:19: there is no input wordz; did you mean word?'],
    ],
    [
      'an unknown output',
      'steps:\n  - { id: a, uses: greet, with: { text: x } }\n  - id: b\n    uses: listen\n    with:\n      heard: it said ${{ steps.a.outputs.messag }}\n',
      ['9:14: there is no output of greet named messag; did you mean message?'],
    ],
    [
      'an unknown host fact',
      'steps:\n  - { id: a, uses: listen, with: { heard: "${{ host.names }}" } }\n',
      ['5:43: there is no host fact names; did you mean name?'],
    ],
    [
      'an unknown step',
      'steps:\n  - { id: first, uses: greet, with: { text: x } }\n  - { id: b, uses: listen, with: { heard: "${{ steps.frst.outputs.message }}" } }\n',
      ['6:43: there is no step frst; did you mean first?'],
    ],
    [
      'names that every JavaScript object has',
      'steps:\n  - id: a\n    uses: greet\n    with: { text: "${{ inputs.toString }}", constructor: x, tags: ["${{ host.valueOf }}"] }\n',
      [
        '7:19: there is no input toString',
        '7:45: phase greet has no input constructor',
        '7:68: there is no host fact valueOf',
      ],
    ],
    [
      'a step that is not upstream',
      'steps:\n  - { id: a, uses: greet, with: { text: x } }\n  - id: b\n    uses: listen\n    needs: []\n    with: { heard: "${{ steps.a.outputs.message }}" }\n',
      ['9:20: step b does not run after a: add a to its needs'],
    ],
    [
      'a step that reads itself',
      'steps:\n  - { id: a, uses: greet, with: { text: "${{ steps.a.outputs.message }}" } }\n',
      ['5:41: step a cannot read its own outputs'],
    ],
    [
      'an input of another type',
      'inputs: { type: object, properties: { many: { type: array } } }\nsteps:\n  - id: a\n    uses: greet\n    with: { text: "${{ inputs.many }}" }\n',
      ['8:19: text must be of type string, but this expression is of type array'],
    ],
    [
      'a host fact of another type',
      'steps:\n  - { id: a, uses: greet, with: { text: x, count: "${{ host.name }}" } }\n',
      ['5:51: count must be of type integer, but this expression is of type string'],
    ],
    [
      'an output of another type',
      'steps:\n  - { id: a, uses: greet, with: { text: x } }\n  - { id: b, uses: listen, with: { heard: "${{ steps.a.outputs.size }}" } }\n',
      ['6:43: heard must be of type string, but this expression is of type integer'],
    ],
    [
      'literals of other types',
      'steps:\n  - id: a\n    uses: greet\n    with:\n      text: 5\n      count: 0\n      tags: [x, 7]\n',
      ['8:13: text must be a string', '9:14: count must be >= 1', '10:17: tags must be a string'],
    ],
    [
      'a missing input',
      'steps:\n  - id: a\n    uses: greet\n    with: { loud: true }\n',
      ['7:11: phase greet needs the input text'],
    ],
    [
      'a missing input, and no inputs at all',
      'steps:\n  - id: a\n    uses: greet\n',
      ['5:5: phase greet needs the input text'],
    ],
    [
      'an unknown input of a phase',
      'steps:\n  - { id: a, uses: greet, with: { text: x, coun: 3 } }\n',
      ['5:44: phase greet has no input coun; did you mean count?'],
    ],
    [
      'two unordered writers of one path',
      'steps:\n  - { id: a, uses: greet, with: { text: x } }\n  - { id: b, uses: greet, with: { text: x }, needs: [] }\n',
      ['6:11: steps a and b both write /etc/motd, but their order is not defined: add one to the needs of the other'],
    ],
    [
      'a default that reads anything but host facts',
      'inputs:\n  type: object\n  properties:\n    x: { type: string, default: "${{ host.nmae }}" }\n    y: { type: string, default: "${{ inputs.x }}" }\n    z: { type: string, default: "${{ x }}" }\nsteps:\n  - { id: a, uses: listen }\n',
      [
        '7:33: a default can only read host facts: host.name, host.privileged, host.architecture, host.distribution',
        '8:33: a default can only read host facts: host.name, host.privileged, host.architecture, host.distribution',
        '9:33: ${{ x }}: there is no x: write inputs.x, host.x, gates.X, run.status, or steps["x"].outputs.y',
      ],
    ],
    [
      'an input schema that cannot be compiled',
      'inputs:\n  type: object\n  properties:\n    x: { type: string, pattern: "(" }\nsteps:\n  - { id: a, uses: listen }\n',
      ['7:8: the schema of x cannot be used: Invalid regular expression: /(/u: Unterminated group'],
    ],
    [
      'inputs whose schemas do not go together',
      'inputs: { type: object, properties: { x: { $anchor: b }, y: { $anchor: b } } }\nsteps:\n  - { id: a, uses: listen }\n',
      ['4:9: the schema of the inputs cannot be used: reference "#b" resolves to more than one schema'],
    ],
    [
      'inputs that are no schema',
      'inputs: { type: object, properties: { x: {} }, allOf: {} }\nsteps:\n  - { id: a, uses: listen }\n',
      ['4:9: the schema of the inputs cannot be used: allOf value must be ["array"]'],
    ],
    [
      'inputs that nobody would wait for',
      'inputs: { type: object, $async: true, properties: { x: {} } }\nsteps:\n  - { id: a, uses: listen }\n',
      ['4:9: the schema of the inputs cannot be used: $async is not supported'],
    ],
    [
      'secrets for inputs that are none',
      'inputs: { type: object, properties: { key: { type: string, writeOnly: true } } }\nsteps:\n  - id: a\n    uses: greet\n    with: { token: "${{ inputs.key }}", text: "x ${{ inputs.key }}", tags: ["${{ inputs.key }}"] }\n',
      [
        '8:47: text cannot take a secret: phase greet does not mark it writeOnly',
        '8:77: tags cannot take a secret: phase greet does not mark it writeOnly',
      ],
    ],
    ['YAML that is none', 'steps:\n  - id: a\n   uses: listen\n', ['6:1: Sequence item without - indicator']],
    ['a tab', 'steps:\n\t- id: a\n', ['5:1: Tabs are not allowed as indentation']],
    ['a key that is there twice', 'kind: Pipeline\nsteps: []\n', ['4:1: Map keys must be unique']],
    [
      'an alias bomb',
      `${aliasBomb.join('\n')}\n`,
      ['1:1: Excessive alias count indicates a resource exhaustion attack'],
    ],
    ['an alias of nothing', 'steps: *nowhere\n', ['4:8: there is no anchor nowhere before this']],
    ['two documents', '---\na: 1\n', ['4:1: Source contains multiple documents; please use YAML.parseAllDocuments()']],
    ['more than a mebibyte', `# ${'ü'.repeat(1 << 19)}\n`, ['1:1: larger than 1048576 bytes']],
    ['a hundred thousand brackets', '['.repeat(100_000), ['1:1: nested deeper than 100 levels']],
    [
      'many things at once, told in the order of the file',
      'steps:\n  - { id: b, uses: listen, with: { heard: 1 } }\n  - { id: a, uses: gret }\n  - { id: b, uses: greet, needs: [c] }\n',
      [
        '5:43: heard must be a string',
        '6:20: there is no phase gret; did you mean greet?',
        '7:5: phase greet needs the input text',
        '7:11: two steps have the id b',
        '7:35: there is no step c',
      ],
    ],
  ])('is refused at its line and column: %s', async (_, body, problems) => {
    const error = await joinErrorOf(() => checkPipeline(load(body), phases()));
    expect(error.message.split('\n')).toEqual(problems.map((problem) => `made.yaml:${problem}`));
    expect(error).toMatchObject({ code: 'E_PIPELINE', exitCode: 3, transient: false });
    expect(error.facts).toMatchObject({
      problems: problems.map((problem) => {
        const [, line, column, message] = /^(\d+):(\d+): (.*)$/.exec(problem) ?? [];
        return { file: 'made.yaml', line: Number(line), column: Number(column), message };
      }),
    });
  });

  test.each([
    ['an empty file', ''],
    ['a list', '- a\n'],
    ['nothing', '~\n'],
  ])('is refused: %s', async (_, text) => {
    const error = await joinErrorOf(() => loadPipeline('made.yaml', text));
    expect([error.code, error.message]).toEqual(['E_PIPELINE', 'made.yaml:1:1: must be an object']);
  });

  test('is told all at once where checks and schema both find something, the schema first', async () => {
    const error = await joinErrorOf(() => load('steps:\n  - { id: A, uses: gret }\n  - { uses: listen }\n'));
    expect(error.message.split('\n')).toEqual([
      'made.yaml:5:11: has the wrong form "A": it must be of small letters, digits and dashes',
      'made.yaml:6:5: id is missing',
    ]);
  });

  test('never quotes a secret', async () => {
    const body = `steps:\n  - { id: a, uses: greet, with: { text: x, token: ${CANARY} } }\n`;
    const error = await joinErrorOf(() => checkPipeline(load(body), phases()));
    expect(error.message).toBe(
      'made.yaml:5:51: token is a secret, and must not be written in a pipeline: pass it as an input',
    );
    expect(shownOf(error)).not.toContain(CANARY);
  });
});

describe('a pipeline that is right', () => {
  test('gives each step its phase, its order, its limits and its reads', () => {
    const [a, b, c, d] = checkPipeline(
      load(
        [
          'defaults: { timeout: 90s, retry: { attempts: 3, cap: 1m } }',
          'steps:',
          '  - { id: a, uses: greet, with: { text: x } }',
          '  - { id: b, uses: listen, timeout: 1h30m, retry: { initial: 500ms, factor: 1.5 }, with: { heard: "${{ steps.a.outputs.message }}" } }',
          '  - { id: c, uses: listen, needs: [] }',
          '  - { id: d, uses: listen, needs: [b, c], with: { heard: "${{ steps["a"].outputs.message }} ${{ steps.a.outputs.size }}" } }',
        ]
          .join('\n')
          .replace('"${{ steps["a"]', '\'${{ steps["a"]')
          .replace('size }}"', "size }}'"),
      ),
      phases(),
    ).steps;
    const retry = { attempts: 3, initialMs: 1_000, factor: 2, capMs: 60_000 };
    expect(a).toMatchObject({ id: 'a', phase: greet, needs: [], reads: [], timeoutMs: 90_000, retry });
    expect(b).toMatchObject({
      needs: ['a'],
      reads: ['a'],
      timeoutMs: 5_400_000,
      retry: { ...retry, initialMs: 500, factor: 1.5 },
    });
    expect(c).toMatchObject({ needs: [], reads: [] });
    expect(d).toMatchObject({ needs: ['b', 'c'], reads: ['a'] });
  });

  test('tries once within five minutes where it says nothing', () => {
    const [a] = checkPipeline(load('steps:\n  - { id: a, uses: listen }\n'), phases()).steps;
    expect(a).toMatchObject({ timeoutMs: 300_000, retry: { attempts: 1, initialMs: 1_000, factor: 2, capMs: 30_000 } });
  });

  test('may give an integer where a number is wanted, and text around any hole', () => {
    const body =
      'steps:\n  - { id: a, uses: greet, with: { text: x } }\n  - { id: b, uses: listen, with: { ratio: "${{ steps.a.outputs.size }}", heard: "${{ host.privileged }}!" } }\n';
    expect(checkPipeline(load(body), phases()).steps).toHaveLength(2);
  });

  test('may have two writers of one path in a certain order', () => {
    const body =
      'steps:\n  - { id: a, uses: greet, with: { text: x } }\n  - { id: between, uses: listen }\n  - { id: b, uses: greet, with: { text: x } }\n';
    expect(checkPipeline(load(body), phases()).steps.map(({ id }) => id)).toEqual(['a', 'between', 'b']);
  });

  test('may use anchors', () => {
    const body = 'defaults: { retry: &often { attempts: 9 } }\nsteps:\n  - { id: a, uses: listen, retry: *often }\n';
    expect(checkPipeline(load(body), phases()).steps[0]?.retry.attempts).toBe(9);
  });
});

describe('what the user gives', () => {
  const body = [
    'inputs:',
    '  type: object',
    '  required: [text, apiToken]',
    '  properties:',
    '    text: { type: string }',
    '    apiToken: { type: string, writeOnly: true }',
    '    howOften: { type: integer, default: 2 }',
    '    nodeName: { type: string, default: "${{ host.name }}" }',
    '    motto: { type: string, default: "here is ${{ host.name }}" }',
    '    tags: { type: array, items: { type: string } }',
    '    level: { enum: [low, high] }',
    'steps:',
    '  - id: a',
    '    uses: greet',
    '    with: { text: "${{ inputs.text }}", token: "${{ inputs.apiToken }}", count: "${{ inputs.howOften }}", tags: "${{ inputs.tags }}" }',
    '  - { id: b, uses: listen, with: { heard: "${{ inputs.text }}" } }',
  ].join('\n');
  const bind = (given: Record<string, unknown>): Plan => planOf(load(body), phases(), given, HOST);
  const good = { text: 'hello', apiToken: 'abcdef' };

  test('is shown without what a terminal would obey, and not at length', async () => {
    const { message } = await joinErrorOf(() => bind({ ...good, text: `\u009b31m${'A'.repeat(9_000)}` }));
    expect(message).toMatch(/^--text has the wrong form "\P{Cc}+A: it must match/u);
    expect(message.length).toBeLessThan(700);
  });

  test('that is one of several values, of which some are objects, is told them', async () => {
    const odd = body.replace('[low, high]', '[low, { toString: 1 }]');
    const error = await joinErrorOf(() => planOf(load(odd), phases(), { ...good, level: 'x' }, HOST));
    expect(error.message).toBe('--level must be one of low, {"toString":1}');
  });

  test('is bound with the defaults of the pipeline and of the host', () => {
    const { pipeline, inputs, host } = bind(good);
    expect({ pipeline, host }).toEqual({ pipeline: 'made', host: HOST });
    expect(inputs).toEqual({
      text: 'hello',
      apiToken: expect.any(Secret),
      howOften: 2,
      nodeName: 'w1',
      motto: 'here is w1',
    });
  });

  test('wins over every default', () => {
    const { inputs } = bind({ ...good, howOften: 5, nodeName: 'other' });
    expect([inputs.howOften, inputs.nodeName]).toEqual([5, 'other']);
  });

  test('is refused with all problems at once, each named for its flag', async () => {
    const error = await joinErrorOf(() => bind({ howOften: 'often', tags: 'one', level: 'medium', nodename: 'x' }));
    expect(error).toMatchObject({ code: 'E_INPUT', exitCode: 2 });
    expect(error.message.split('\n').sort()).toEqual([
      '--api-token is missing',
      '--how-often must be an integer',
      '--level must be one of low, high',
      '--nodename unknown key nodename; did you mean nodeName?',
      '--tags must be an array',
      '--text is missing',
    ]);
  });

  test('is held to the schemas of the phases that take it, before anything runs', async () => {
    const error = await joinErrorOf(() => bind({ text: 'HELLO', apiToken: CANARY, howOften: 0 }));
    expect(error.code).toBe('E_INPUT');
    expect(error.message.split('\n')).toEqual(
      [
        '--text has the wrong form "HELLO": it must match ^[a-z0-9 ]+$',
        '--how-often must be >= 1',
        '--api-token has the wrong form: it must match ^[a-z]{6}$',
      ].sort((a, b) => error.message.indexOf(a) - error.message.indexOf(b)),
    );
    expect(shownOf(error)).not.toContain(CANARY);
  });

  test('is held to them also where a hole in a text hides the flag', async () => {
    const pipeline = load(
      'inputs: { type: object, properties: { word: { type: string } } }\nsteps:\n  - { id: a, uses: greet, with: { text: "A ${{ inputs.word }}" } }\n',
    );
    const error = await joinErrorOf(() => planOf(pipeline, phases(), { word: 'b' }, HOST));
    expect(error.message).toBe('step a: text has the wrong form "A b": it must match ^[a-z0-9 ]+$');
  });

  test('keeps its secrets: in the plan, in the inputs of steps, in text around them', () => {
    const plan = bind({ ...good, apiToken: 'canary' });
    expect(plan.inputs.apiToken).toBeInstanceOf(Secret);
    const inputs = plan.steps.map((step) => inputOf(plan, step, { outputs: new Map() }) as Record<string, unknown>);
    expect(inputs).toEqual([{ text: 'hello', token: expect.any(Secret), count: 2 }, { heard: 'hello' }]);
    expect(shownOf(plan)).not.toContain('canary');
    expect(shownOf(inputs[0])).not.toContain('canary');
    expect(isSecret(inputs[0]?.token) && inputs[0].token.reveal()).toBe('canary');
  });

  test('of an output that is not what the next phase takes is refused when it is there', async () => {
    const plan = planOf(
      load(
        'steps:\n  - { id: a, uses: greet, with: { text: x } }\n  - { id: b, uses: greet, with: { text: "${{ steps.a.outputs.message }}" } }\n',
      ),
      phases(),
      {},
      HOST,
    );
    const [, b] = plan.steps;
    if (b === undefined) throw new Error('no step');
    expect(inputOf(plan, b, { outputs: new Map([['a', { message: 'fine' }]]) })).toEqual({ text: 'fine', count: 1 });
    for (const outputs of [new Map([['a', { message: 'NOT FINE' }]]), new Map([['a', {}]])]) {
      const error = await joinErrorOf(() => inputOf(plan, b, { outputs }));
      expect(error.code).toBe('E_INPUT');
      expect(error.message).toMatch(/^greet: /);
    }
  });

  test('is not changed by being bound', () => {
    const given = Object.freeze({ ...good, tags: Object.freeze(['x']) });
    bind(given);
    expect(given).toEqual({ ...good, tags: ['x'] });
  });
});

describe('one phase by itself', () => {
  test('takes its inputs as flags, with its own defaults and its secrets wrapped', async () => {
    const plan = planOfPhase('greet', greet, { text: 'hello', token: 'canary' }, HOST);
    expect(plan).toMatchObject({ pipeline: 'phase greet', steps: [{ id: 'greet', needs: [], timeoutMs: 300_000 }] });
    expect(shownOf(plan)).not.toContain('canary');
    const [step] = plan.steps;
    expect(step && inputOf(plan, step, { outputs: new Map() })).toEqual({
      text: 'hello',
      token: expect.any(Secret),
      count: 1,
    });
    const error = await joinErrorOf(() => planOfPhase('greet', greet, { tagz: [], token: CANARY }, HOST));
    expect(error.code).toBe('E_INPUT');
    expect(error.message.split('\n').sort()).toEqual([
      '--tagz unknown key tagz; did you mean tags?',
      '--text is missing',
      '--token has the wrong form: it must match ^[a-z]{6}$',
    ]);
    expect(shownOf(error)).not.toContain(CANARY);
  });

  test("gets host facts and defaults from the pipeline's step for it, and leaves out what only a run knows, and literals", () => {
    const pipeline = load(
      'inputs: { type: object, properties: { n: { type: string, default: "${{ host.name }}" }, m: { type: string } } }\nsteps:\n  - { id: a, uses: greet, with: { text: "${{ inputs.n }}", count: 3 } }\n  - { id: b, uses: listen, with: { heard: "${{ steps.a.outputs.message }}" } }\n',
    );
    expect(standaloneInputs(pipeline, greet, HOST)).toEqual({ text: 'w1' });
    expect(standaloneInputs(pipeline, listen, HOST)).toEqual({});
  });
});

describe('a template', () => {
  const parse = (value: unknown): Template =>
    parseTemplate(value, (path, message) => {
      throw new Error(`${path.join('.')}: ${message}`);
    });
  const values: Record<string, unknown> = {
    text: 'x',
    number: 3,
    list: [1, 2],
    object: { toString: 1 },
    nothing: undefined,
    no: false,
    tricky: '${{ inputs.secret }}',
    secret: new Secret(CANARY),
  };
  const lookUp = (reference: Reference): unknown => ('name' in reference ? values[reference.name] : undefined);
  const filled = (value: unknown): unknown => evaluate(parse(value), lookUp);

  test.each<[string, unknown, unknown]>([
    [
      'a whole hole keeps the type of its value',
      { a: '${{ inputs.number }}', b: '${{inputs.list}}', c: '${{ inputs.no }}' },
      { a: 3, b: [1, 2], c: false },
    ],
    ['text with holes is text', '${{ inputs.text }}-${{ inputs.number }}/${{ inputs.no }}', 'x-3/false'],
    ['a list or mapping in text is JSON', '${{ inputs.list }} ${{ inputs.object }}', '[1,2] {"toString":1}'],
    [
      'a hole without a value leaves its key out',
      { a: '${{ inputs.nothing }}', b: 1, c: { d: '${{ inputs.nothing }}' } },
      { b: 1, c: {} },
    ],
    ['a hole without a value leaves its place in a list out', ['${{ inputs.nothing }}', '${{ inputs.text }}'], ['x']],
    ['a hole without a value is nothing in a text', 'a${{ inputs.nothing }}b', 'ab'],
    [
      'a value that looks like a hole stays what it is',
      ['${{ inputs.tricky }}', 'x${{ inputs.tricky }}'],
      ['${{ inputs.secret }}', 'x${{ inputs.secret }}'],
    ],
    [
      'what holds no hole stays as it is',
      { a: null, b: '$x {{ y }} }}', c: [true, 1.5] },
      { a: null, b: '$x {{ y }} }}', c: [true, 1.5] },
    ],
    ['a hole may be written in brackets, over lines', '${{\n inputs["text"]\n}}', 'x'],
  ])('%s', (_, template, expected) => {
    expect(filled(template)).toEqual(expected);
  });

  test('text around a secret is a secret', () => {
    const value = filled('Bearer ${{ inputs.secret }}, ${{ inputs.text }}');
    expect(isSecret(value) && value.reveal()).toBe(`Bearer ${CANARY}, x`);
    expect(shownOf(value)).not.toContain(CANARY);
  });

  test('a whole secret stays the secret it is', () => {
    expect(filled('${{ inputs.secret }}')).toBe(values.secret);
  });

  test('says where each hole is that is wrong', () => {
    const found: string[] = [];
    parseTemplate({ a: ['${{ x }}'], b: { c: '${{ steps.a.output.b }}', d: '${{ inputs.a' } }, (path) =>
      found.push(path.join('.')),
    );
    expect(found).toEqual(['a.0', 'b.c', 'b.d']);
  });

  test('any text without ${{ is left alone, and any value of a hole comes through unchanged', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.jsonValue(), (before, after, value) => {
        fc.pre(!`${before}${after}`.includes('${{') && !before.endsWith('$') && !before.endsWith('${'));
        expect(filled(before + after)).toBe(before + after);
        expect(evaluate(parse('${{ inputs.x }}'), () => value)).toBe(value);
        const text = evaluate(parse(`${before}\${{ inputs.x }}${after}`), () => 'v');
        expect(text).toBe(`${before}v${after}`);
      }),
    );
  });

  test('any name is found by the reference in brackets that spells it, as step, output or input', () => {
    const name = fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => !/["\]}]/.test(text));
    fc.assert(
      fc.property(name, name, (step, output) => {
        expect(parse(`\${{ steps["${step}"].outputs["${output}"] }}`)).toEqual({
          kind: 'hole',
          expression: { kind: 'output', step, name: output },
        });
        expect(parse(`\${{ inputs["${step}"] }}`)).toEqual({
          kind: 'hole',
          expression: { kind: 'input', name: step },
        });
      }),
    );
  });

  test('what is in the braces is a reference or is refused, and never anything else', () => {
    fc.assert(
      fc.property(fc.string(), (inner) => {
        fc.pre(!`${inner}}`.includes('}}')); // which would close it earlier
        const problems: string[] = [];
        const template = parseTemplate(`\${{${inner}}}`, (_, message) => problems.push(message));
        expect(template.kind === 'placeholder').toBe(problems.length === 0);
      }),
    );
  });
});

describe('a duration', () => {
  test.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['1.5s', 1_500],
    ['1m500ms', 60_500],
    ['0s', 0],
  ])('%s is %i ms', (text, expected) => {
    expect(durationMs(text)).toBe(expected);
  });

  test('is the sum of its parts', () => {
    fc.assert(
      fc.property(fc.nat(99), fc.nat(99), fc.nat(99), fc.nat(999), (h, m, s, ms) => {
        expect(durationMs(`${h}h${m}m${s}s${ms}ms`)).toBe(((h * 60 + m) * 60 + s) * 1_000 + ms);
      }),
    );
  });
});

describe('the nearest name', () => {
  test.each([
    ['kubconfig', 'kubeconfig'],
    ['tls-bootstrp', 'tls-bootstrap'],
    ['kubeconfig', 'kubeconfig'],
    ['preflght', 'preflight'],
    ['join', undefined],
    ['', undefined],
  ])('to %s is %s', (word, expected) => {
    expect(nearest(word, ['preflight', 'kubeconfig', 'tls-bootstrap'])).toBe(expected);
  });

  test('is the first of those that are equally near, and none where there is none', () => {
    expect(nearest('cat', ['bat', 'rat'])).toBe('bat');
    expect(nearest('cat', [])).toBeUndefined();
  });

  test('to a word with one letter wrong, missing or too many is that word', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{4,12}$/), fc.nat(), fc.stringMatching(/^[a-z]$/), (word, place, letter) => {
        const at = place % word.length;
        const typos = [
          word.slice(0, at) + word.slice(at + 1),
          word.slice(0, at) + letter + word.slice(at),
          word.slice(0, at) + letter + word.slice(at + 1),
        ];
        for (const typo of typos) expect(nearest(typo, ['0000000000000000', word])).toBe(word);
      }),
    );
  });
});

describe('a long pipeline', () => {
  const steps = (count: number, needs: (index: number) => string) =>
    load(
      `steps:\n${Array.from({ length: count }, (_, i) => `  - { id: s${i}, uses: greet, with: { text: hi }${needs(i)} }\n`).join('')}`,
    );

  test('whose steps write one path in turn is checked in seconds', () => {
    const begun = performance.now();
    expect(
      checkPipeline(
        steps(2_000, () => ''),
        phases(),
      ),
    ).toHaveLength(2_000);
    expect(performance.now() - begun).toBeLessThan(10_000);
  });

  test('of 10,000 short steps can be read', () => {
    const lines = Array.from({ length: 10_000 }, (_, i) => `- { id: s${i}, uses: greet }\n`).join('');
    expect(load(`steps:\n${lines}`).steps).toHaveLength(10_000);
  });

  test.each([
    ['nothing but brackets', '}'.repeat(1_000_000), '1:1: more than 250000 tokens'],
    [
      'needs that are not there',
      `steps:\n${Array.from({ length: 5_000 }, (_, i) => `- { id: s${i}, uses: listen, needs: [t${i}] }\n`).join('')}`,
      '5:35: there is no step t0',
    ],
  ])('of %s is refused in seconds, with the first hundred of its problems', async (_, body, first) => {
    const begun = processorMs();
    const { message } = await joinErrorOf(async () => checkPipeline(load(body), phases()));
    expect(message.split('\n')[0]).toBe(`made.yaml:${first}`);
    expect(message.split('\n').length).toBeLessThanOrEqual(100);
    expect(processorMs() - begun).toBeLessThan(10_000);
  });

  test('in which one of the writers is out of order is refused, at that writer', async () => {
    const forked = steps(50, (index) => (index === 25 ? ', needs: [s3]' : ''));
    const { message } = await joinErrorOf(async () => checkPipeline(forked, phases()));
    expect(message).toMatch(/^made\.yaml:\d+:\d+: s\d+ and s\d+ both write \/etc\/motd, in no certain order/);
  });
});
