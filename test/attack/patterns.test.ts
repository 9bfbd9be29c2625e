import { describe, expect, test } from 'vitest';
import { schemaDefect } from '../../engine/documents/schema-defect.ts';
import { violations } from '../../engine/documents/validate.ts';
import { checkPipeline } from '../../engine/pipeline/check.ts';
import { loadPipeline } from '../../engine/pipeline/load.ts';
import { registry } from '../helpers/app.ts';
import { joinErrorOf } from '../helpers/errors.ts';
import { processorMs } from '../helpers/processor-time.ts';

const property = (pattern: string) => ({ type: 'object', properties: { a: { type: 'string', pattern } } }) as const;

describe('a pattern in the schema of a pipeline or plugin', () => {
  test.each(['^(a+)+$', '^(a|a)*$', '^(a*)*b$', '^([a-z]+)*:$', '(.*)*x$'])(
    'a pattern in a schema takes linear time, whatever the value: %s',
    (pattern) => {
      const begun = processorMs();
      expect(violations(property(pattern), { a: `${'a'.repeat(50_000)}!` })).toHaveLength(1);
      expect(processorMs() - begun).toBeLessThan(3_000);
    },
  );

  test.each([
    ['(?=a)b', 'RE2 does not support the pattern (?=a)b: '],
    ['(a)\\1', 'RE2 does not support the pattern (a)\\1: '],
    ['((a{100}){100}){100}', 'RE2 does not support the pattern ((a{100}){100}){100}: '],
    ['a'.repeat(501), 'a pattern can have at most 500 characters'],
  ])('a pattern that RE2 does not support is a defect of the schema: %s', (pattern, what) => {
    expect(schemaDefect(property(pattern))).toContain(what);
  });

  test('a pattern that RE2 does not support is reported at its place in the pipeline', async () => {
    const text = `apiVersion: joinery.dev/v1
kind: Pipeline
metadata: { name: p }
inputs:
  type: object
  properties:
    zone: { type: string, pattern: "^(?!eu)" }
steps:
  - { id: a, uses: preflight, with: {} }
`;
    const error = await joinErrorOf(() => checkPipeline(loadPipeline('p.yaml', text), registry));
    expect(error.message).toContain('p.yaml:7:11: the schema of zone cannot be used: RE2 does not support the pattern');
  });
});
