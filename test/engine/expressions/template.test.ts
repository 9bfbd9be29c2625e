// biome-ignore-all lint/suspicious/noTemplateCurlyInString: a placeholder is written like a JavaScript template

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Reference } from '../../../engine/expressions/references.ts';
import type { Template } from '../../../engine/expressions/template.ts';
import { evaluate, parseTemplate } from '../../../engine/expressions/template.ts';
import { isSecret, Secret } from '../../../engine/sdk/index.ts';
import { printedForms } from '../../helpers/errors.ts';
import { CANARY } from '../pipeline/fixtures.ts';

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
      'a placeholder that is the whole value keeps its type',
      { a: '${{ inputs.number }}', b: '${{inputs.list}}', c: '${{ inputs.no }}' },
      { a: 3, b: [1, 2], c: false },
    ],
    ['text with placeholders is text', '${{ inputs.text }}-${{ inputs.number }}/${{ inputs.no }}', 'x-3/false'],
    ['a list or mapping in text is JSON', '${{ inputs.list }} ${{ inputs.object }}', '[1,2] {"toString":1}'],
    [
      'a placeholder without a value leaves its key out',
      { a: '${{ inputs.nothing }}', b: 1, c: { d: '${{ inputs.nothing }}' } },
      { b: 1, c: {} },
    ],
    ['a placeholder without a value leaves its list item out', ['${{ inputs.nothing }}', '${{ inputs.text }}'], ['x']],
    ['a placeholder without a value is empty in a text', 'a${{ inputs.nothing }}b', 'ab'],
    [
      'a value that looks like a placeholder is not evaluated',
      ['${{ inputs.tricky }}', 'x${{ inputs.tricky }}'],
      ['${{ inputs.secret }}', 'x${{ inputs.secret }}'],
    ],
    [
      'a value without placeholders does not change',
      { a: null, b: '$x {{ y }} }}', c: [true, 1.5] },
      { a: null, b: '$x {{ y }} }}', c: [true, 1.5] },
    ],
    ['a placeholder may use brackets and several lines', '${{\n inputs["text"]\n}}', 'x'],
  ])('a template replaces its placeholders: %s', (_, template, expected) => {
    expect(filled(template)).toEqual(expected);
  });

  test('text around a secret is a secret', () => {
    const value = filled('Bearer ${{ inputs.secret }}, ${{ inputs.text }}');
    expect(isSecret(value) && value.reveal()).toBe(`Bearer ${CANARY}, x`);
    expect(printedForms(value)).not.toContain(CANARY);
  });

  test('a secret that is the whole value stays the same secret', () => {
    expect(filled('${{ inputs.secret }}')).toBe(values.secret);
  });

  test('the place of each invalid placeholder is reported', () => {
    const found: string[] = [];
    parseTemplate({ a: ['${{ x }}'], b: { c: '${{ steps.a.output.b }}', d: '${{ inputs.a' } }, (path) =>
      found.push(path.join('.')),
    );
    expect(found).toEqual(['a.0', 'b.c', 'b.d']);
  });

  test('text without ${{ does not change, and any value of a placeholder passes unchanged', () => {
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

  test('a reference in brackets can spell any name of a step, output or input', () => {
    const name = fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => !/["\]}]/.test(text));
    fc.assert(
      fc.property(name, name, (step, output) => {
        expect(parse(`\${{ steps["${step}"].outputs["${output}"] }}`)).toEqual({
          kind: 'placeholder',
          expression: { kind: 'output', step, name: output },
        });
        expect(parse(`\${{ inputs["${step}"] }}`)).toEqual({
          kind: 'placeholder',
          expression: { kind: 'input', name: step },
        });
      }),
    );
  });

  test('a placeholder is either a valid expression or refused', () => {
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
