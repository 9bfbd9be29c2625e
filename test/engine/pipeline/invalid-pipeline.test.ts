// biome-ignore-all lint/suspicious/noTemplateCurlyInString: a placeholder is written like a JavaScript template
import { describe, expect, test } from 'vitest';
import { checkPipeline } from '../../../engine/pipeline/check.ts';
import { loadPipeline } from '../../../engine/pipeline/load.ts';
import { joinErrorOf, printedForms } from '../../helpers/errors.ts';
import { CANARY, load, phases } from './fixtures.ts';

describe('an invalid pipeline', () => {
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
      ['7:14: has the wrong form "5 minutes": it must be a duration such as 30s or 1h30m, or ${{ inputs.x }}'],
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
      'a placeholder without a valid reference',
      'steps:\n  - id: a\n    uses: greet\n    with:\n      text: ${{ input.x }}\n',
      ['8:13: ${{ input.x }}: there is no input; did you mean inputs?'],
    ],
    [
      'a placeholder with a function call',
      'steps:\n  - id: a\n    uses: greet\n    with: { text: "${{ inputs.x.toString() }}" }\n',
      ['7:19: ${{ inputs.x.toString() }}: there is no method toString'],
    ],
    [
      'control characters in what is wrong',
      'steps:\n  - id: "a\\e[31m"\n    uses: greet\n    "\\x9b": 1\n',
      [
        '5:9: has the wrong form "a\\u001b[31m": it must contain only lower-case letters, digits and dashes',
        '7:5: unknown key',
      ],
    ],
    [
      'an input of objects that are not strings',
      'inputs: { type: object, properties: { x: { enum: [{ toString: 1 }] } } }\nsteps:\n  - { id: a, uses: listen, with: { heard: "a ${{ inputs.x }}", ratio: {} } }\n',
      ['6:71: ratio must be a number'],
    ],
    [
      'a placeholder that is not closed',
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
      ['6:11: steps a and b both write /etc/motd in no defined order: add one to the needs of the other'],
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
      ['7:8: the schema of x cannot be used: RE2 does not support the pattern (: a ( is not closed'],
    ],
    [
      'inputs whose schemas do not go together',
      'inputs: { type: object, properties: { x: { $anchor: b }, y: { $anchor: b } } }\nsteps:\n  - { id: a, uses: listen }\n',
      ['4:9: the schema of the inputs cannot be used: it is not valid JSON Schema'],
    ],
    [
      'inputs that are not a schema',
      'inputs: { type: object, properties: { x: {} }, allOf: {} }\nsteps:\n  - { id: a, uses: listen }\n',
      ['4:9: the schema of the inputs cannot be used: allOf must be of type array'],
    ],
    [
      'inputs with an asynchronous schema',
      'inputs: { type: object, $async: true, properties: { x: {} } }\nsteps:\n  - { id: a, uses: listen }\n',
      ['4:9: the schema of the inputs cannot be used: $async is not supported'],
    ],
    [
      'a secret for an input that is not secret',
      'inputs: { type: object, properties: { key: { type: string, writeOnly: true } } }\nsteps:\n  - id: a\n    uses: greet\n    with: { token: "${{ inputs.key }}", text: "x ${{ inputs.key }}", tags: ["${{ inputs.key }}"] }\n',
      [
        '8:47: text cannot take a secret: phase greet does not mark it writeOnly',
        '8:77: tags cannot take a secret: phase greet does not mark it writeOnly',
      ],
    ],
    [
      'text that is not YAML',
      'steps:\n  - id: a\n   uses: listen\n',
      ['6:1: a character is missing: a space or line after ":" or "-", a comma, or a closing quote or bracket'],
    ],
    ['a tab', 'steps:\n\t- id: a\n', ['5:1: lines are indented with a tab: use spaces']],
    ['a duplicate key', 'kind: Pipeline\nsteps: []\n', ['4:1: the key kind is duplicated']],
    ['an alias bomb', `${aliasBomb.join('\n')}\n`, ['1:1: more than 100 aliases, or more with the aliases in them']],
    ['an alias without an anchor', 'steps: *nowhere\n', ['4:8: anchor nowhere is not defined before this line']],
    [
      'two documents',
      '---\na: 1\n',
      ['4:1: a second YAML document begins here, and only one can be used: remove the others'],
    ],
    ['more than a mebibyte', `# ${'ü'.repeat(1 << 19)}\n`, ['1:1: larger than 1048576 bytes']],
    ['a hundred thousand brackets', '['.repeat(100_000), ['1:1: nested deeper than 100 levels']],
    [
      'many problems at once, in the order of the file',
      'steps:\n  - { id: b, uses: listen, with: { heard: 1 } }\n  - { id: a, uses: gret }\n  - { id: b, uses: greet, needs: [c] }\n',
      [
        '5:43: heard must be a string',
        '6:20: there is no phase gret; did you mean greet?',
        '7:5: phase greet needs the input text',
        '7:11: two steps have the id b',
        '7:35: there is no step c',
      ],
    ],
  ])('an invalid pipeline is refused at its line and column: %s', async (_, body, problems) => {
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
  ])('an invalid pipeline is refused: %s', async (_, text) => {
    const error = await joinErrorOf(() => loadPipeline('made.yaml', text));
    expect([error.code, error.message]).toEqual(['E_PIPELINE', 'made.yaml:1:1: must be an object']);
  });

  test('shape problems of a pipeline are all reported before the checks run', async () => {
    const error = await joinErrorOf(() => load('steps:\n  - { id: A, uses: gret }\n  - { uses: listen }\n'));
    expect(error.message.split('\n')).toEqual([
      'made.yaml:5:11: has the wrong form "A": it must contain only lower-case letters, digits and dashes',
      'made.yaml:6:5: id is missing',
    ]);
  });

  test('the error for an invalid pipeline never quotes a secret', async () => {
    const body = `steps:\n  - { id: a, uses: greet, with: { text: x, token: ${CANARY} } }\n`;
    const error = await joinErrorOf(() => checkPipeline(load(body), phases()));
    expect(error.message).toBe(
      'made.yaml:5:51: token is a secret, and must not be written in a pipeline: pass it as an input',
    );
    expect(printedForms(error)).not.toContain(CANARY);
  });
});
