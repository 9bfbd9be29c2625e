// biome-ignore-all lint/suspicious/noTemplateCurlyInString: a placeholder is written like a JavaScript template
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { editorSchema } from '../../../engine/pipeline/editor-schema.ts';
import { registry } from '../../helpers/app.ts';
import { PROJECT } from '../../helpers/sources.ts';

const schema = editorSchema(registry.all());
const validate = new Ajv2020({ allErrors: true, strict: false }).compile(schema);
const read = (path: string): string => readFileSync(join(PROJECT, path), 'utf8');
/** Where a pipeline of these steps is wrong. */
const wrongAt = (...steps: object[]): string[] => {
  validate({ apiVersion: 'joinery.dev/v1', kind: 'Pipeline', metadata: { name: 'made' }, steps });
  return [...new Set((validate.errors ?? []).map(({ instancePath }) => instancePath))];
};

describe('the schema for editors', () => {
  test('schemas/pipeline.editor.schema.json is current (update: join pipeline schema)', () => {
    expect(JSON.parse(read('schemas/pipeline.editor.schema.json'))).toEqual(schema);
  });

  test('the editor schema accepts the pipeline that ships', () => {
    expect([validate(parse(read('pipelines/join-worker.yaml'))), validate.errors]).toEqual([true, null]);
  });

  test('the editor schema knows phases and inputs, and accepts an expression for any value', () => {
    expect(
      wrongAt({ id: 'a', uses: 'preflight', with: { nodeName: 'w1', privileged: '${{ host.privileged }}' } }),
    ).toEqual([]);
    expect(wrongAt({ id: 'a', uses: 'preflight', with: { nodeNam: 'w1' } })).toContain('/steps/0/with');
    expect(wrongAt({ id: 'a', uses: 'preflight', with: { privileged: 'yes' } })).toContain('/steps/0/with/privileged');
    expect(wrongAt({ id: 'a', uses: 'prefligt' })).toContain('/steps/0/uses');
    expect(wrongAt({ id: 'a', uses: [{ phase: 'prefligt' }] })).toContain('/steps/0/uses/0/phase');
    expect(wrongAt({ id: 'a', approval: { message: 'Go?', deadline: '1h' } })).toEqual([]);
  });

  test('the editor schema has descriptions and defaults', () => {
    const text = JSON.stringify(schema);
    for (const { name, summary, input } of registry.all()) {
      expect(text).toContain(JSON.stringify({ const: name, description: summary }));
      for (const { description, default: usual } of Object.values(input.properties ?? {})) {
        if (description !== undefined) expect(text).toContain(JSON.stringify(description));
        if (usual !== undefined) expect(text).toContain(`"default":${JSON.stringify(usual)}`);
      }
    }
  });
});
