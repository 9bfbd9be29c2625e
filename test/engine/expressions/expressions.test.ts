// biome-ignore-all lint/suspicious/noTemplateCurlyInString: a placeholder is written like a JavaScript template
import { describe, expect, test } from 'vitest';
import { planOf } from '../../../engine/pipeline/plan.ts';
import { Registry } from '../../../engine/pipeline/registry.ts';
import { Secret } from '../../../engine/sdk/index.ts';
import { joinErrorOf, printedForms } from '../../helpers/errors.ts';
import { phaseOfStep } from '../../helpers/plans.ts';
import { CANARY, echo, HOST, load, problemsOf, ran, registry, requiredInputs } from './fixtures.ts';

describe('an invalid expression in a pipeline', () => {
  test.each<[string, string[], string[]]>([
    [
      'types that do not go together',
      ['- { id: a, uses: echo, with: { text: "${{ inputs.must + 1 }}" } }'],
      ['15:38: inputs.must + 1: + does not work on string and int'],
    ],
    [
      'a value of another type than the input',
      ['- { id: a, uses: echo, with: { count: "${{ inputs.many.size() > 1 }}", loud: "${{ inputs.number }}" } }'],
      [
        '15:39: count must be of type integer, but this expression is of type boolean',
        '15:78: loud must be of type boolean, but this expression is of type integer',
      ],
    ],
    [
      'a list with text around it',
      ['- { id: a, uses: echo, with: { count: "n${{ inputs.number }}" } }'],
      ['15:39: count must be of type integer, but this expression is of type string'],
    ],
    [
      'an optional input without a guard',
      ['- { id: a, uses: echo, with: { text: "${{ inputs.may + \'x\' }}" } }'],
      ['15:38: inputs.may may have no value: write inputs.?may.orValue(…), or guard it with has(inputs.may)'],
    ],
    [
      'an output that may not be there, not guarded',
      ['- { id: a, uses: echo }', '- { id: b, uses: echo, with: { text: "${{ steps.a.outputs.text + \'x\' }}" } }'],
      [
        '16:38: steps.a.outputs.text may have no value: write steps.a.?outputs.text.orValue(…), or guard it with has(steps.a.outputs.text)',
      ],
    ],
    [
      'an output of a step that may be skipped, not guarded',
      [
        '- { id: a, uses: echo, if: inputs.role == "worker" }',
        '- { id: b, uses: echo, with: { text: "${{ steps.a.outputs.text }}", count: "${{ steps.a.outputs.count + 1 }}" } }',
      ],
      [
        '16:38: step a may be skipped: write steps.a.?outputs.text, or guard it with has(steps.a.outputs.text)',
        '16:76: step a may be skipped: write steps.a.?outputs.count, or guard it with has(steps.a.outputs.count)',
      ],
    ],
    [
      'names that are not there, every one of them',
      ['- { id: a, uses: echo, with: { text: "${{ inputs.mst + inputs.role + steps.b.outputs.x + host.nam }}" } }'],
      [
        '15:38: there is no input mst; did you mean must?',
        '15:38: there is no step b',
        '15:38: there is no host fact nam; did you mean name?',
      ],
    ],
    [
      'a step that is not upstream, in a condition',
      ['- { id: a, uses: echo }', '- { id: b, uses: echo, needs: [], if: "steps.a.outputs.count > 1" }'],
      ['16:39: step b does not run after a: add a to its needs'],
    ],
    [
      'conditions that are none',
      [
        '- { id: a, uses: echo, if: inputs.must }',
        '- { id: b, uses: echo, if: "${{ true }}" }',
        '- { id: c, uses: echo, if: "1 +" }',
        '- { id: d, uses: echo, if: has(inputs.mst) }',
      ],
      [
        '15:28: a condition must be a boolean, but this expression is of type string',
        '16:28: ${{ true }}: a condition is a bare expression: remove the ${{',
        '17:28: 1 +: syntax error at 1:4: the expression ends too early',
        '18:28: there is no input mst; did you mean must?',
      ],
    ],
    [
      'secrets: in a condition, as a number, in an input that is not secret',
      [
        '- { id: a, uses: echo, if: "has(inputs.key) && inputs.key == \'x\'" }',
        '- id: b',
        '  uses: echo',
        "  with: { count: \"${{ inputs.?key.orValue('').size() }}\", text: \"a ${{ inputs.?key.orValue('') + 'b' }}\" }",
      ],
      [
        '15:28: a condition cannot read a secret: use has() to test whether it has a value',
        '18:18: an expression that reads a secret must be of type string, but this one is of type integer',
        '18:18: count cannot take a secret: phase echo does not mark it writeOnly',
        '18:65: text cannot take a secret: phase echo does not mark it writeOnly',
      ],
    ],
    [
      'what only a run can tell, where a phase is chosen',
      ['- { id: a, uses: [{ phase: echo, if: steps.b.outputs.count == 1 }, { phase: echo, if: run.status == "x" }] }'],
      [
        '15:38: steps.b.outputs.count cannot be read here: no step has run yet',
        '15:87: run.status can only be read in finally',
      ],
    ],
  ])('an invalid expression in a pipeline is refused: %s', async (_, steps, problems) => {
    expect(await problemsOf(...steps)).toEqual(problems);
  });

  test('an expression that fails with the given values is reported before the run', async () => {
    const pipeline = load(
      '- { id: a, uses: echo, with: { count: "${{ 6 / (inputs.number - 3) }}" } }',
      '- { id: b, uses: echo, if: "inputs.many[7] == \'x\'" }',
    );
    const error = await joinErrorOf(() => planOf(pipeline, registry, requiredInputs, HOST));
    expect(error).toMatchObject({ code: 'E_INPUT', exitCode: 2 });
    expect(error.message.split('\n')).toEqual([
      'step a: ${{ 6 / (inputs.number - 3) }}: the divisor is 0',
      'step b: if inputs.many[7] == \'x\': the list has no item 7: it has 2 items, from 0, in "inputs.many[7]"',
    ]);
  });
});

describe('an expression in a pipeline', () => {
  test('an expression keeps the type of its value, and may contain braces and quotes', async () => {
    const result = await ran(
      requiredInputs,
      '- id: a',
      '  uses: echo',
      '  with:',
      '    count: ${{ inputs.number + 1 }}',
      '    ratio: ${{ inputs.number }}',
      '    loud: ${{ inputs.role in ["worker"] }}',
      "    tags: ${{ inputs.many.map(x, x + '}}') }}",
      '    text: \'${{ {"a": {"b": inputs.must}}.a.b }}${{ "}}" }}\'',
    );
    expect(result.steps[0]?.outputs).toEqual({
      count: 4,
      ratio: 3,
      loud: true,
      tags: ['a}}', 'b}}'],
      text: 'x}}',
    });
  });

  test('an expression without a value leaves its input out', async () => {
    const result = await ran(requiredInputs, '- { id: a, uses: echo, with: { text: "${{ inputs.?may }}", count: 1 } }');
    expect(result.steps[0]?.outputs).toEqual({ count: 1 });
  });

  test('the result of an expression is never evaluated again', async () => {
    const tricky = '${{ inputs.key }}';
    const result = await ran(
      { must: tricky, key: CANARY },
      '- { id: a, uses: echo, with: { text: "${{ inputs.must + \'!\' }}" } }',
      "- { id: b, uses: echo, with: { text: \"${{ steps.a.?outputs.text.orValue('') + '?' }}\" } }",
    );
    expect(result.steps.map(({ outputs }) => (outputs as { text: string }).text)).toEqual([
      `${tricky}!`,
      `${tricky}!?`,
    ]);
    expect(printedForms(result)).not.toContain(CANARY);
  });

  test('an expression of a secret passes a secret to the phase', async () => {
    const result = await ran(
      { ...requiredInputs, key: CANARY },
      "- { id: a, uses: echo, with: { token: \"${{ 'Bearer ' + inputs.?key.orValue('') }}\" } }",
    );
    expect(result.steps[0]?.outputs).toEqual({ token: expect.any(Secret), count: 0 });
    expect(printedForms(result)).not.toContain(CANARY);
  });

  test('a condition decides which phase a step uses', () => {
    const registered = new Registry();
    for (const id of ['one', 'two']) registered.add(phaseOfStep({ ...echo, id, run: () => ({}) }));
    const pipeline = load(
      '- { id: a, uses: [{ phase: one, if: inputs.number > 5 && host.privileged }, { phase: two }] }',
    );
    const phaseFor = (number: number) =>
      planOf(pipeline, registered, { ...requiredInputs, number }, HOST).steps[0]?.phase.name;
    expect([phaseFor(6), phaseFor(5)]).toEqual(['one', 'two']);
  });
});
