// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders look like JavaScript templates
/** Readers of pipelines, environments, expressions and flags. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { applyPatch } from 'rfc6902';
import { parse } from 'yaml';
import { checkForAllHosts } from '../../engine/environment/check.ts';
import { loadEnvironment, readTracked } from '../../engine/environment/load.ts';
import { hostParts, resolvePipeline } from '../../engine/environment/resolve.ts';
import { Cel } from '../../engine/expressions/cel.ts';
import { UNKNOWN } from '../../engine/expressions/references.ts';
import { loadPipeline } from '../../engine/pipeline/load.ts';
import { planOf } from '../../engine/pipeline/plan.ts';
import { fail, Secret } from '../../engine/sdk/index.ts';
import { registry } from '../helpers/app.ts';
import {
  CA_PIN,
  DOCUMENT_BYTES_MAX,
  GIVEN,
  HOST,
  joinWorker,
  PIPELINE_HEAD,
  STEPS,
  smallPipeline,
  words,
} from './materials.ts';
import { soup, swollen, YAML_TOKENS, yamlShape } from './shapes.ts';
import type { Target } from './target.ts';

const joinWorkerTracked = readTracked('join-worker.yaml', joinWorker);
const joinWorkerEnvironment = readFileSync('test/fuzz/corpus/environment/every-patch.yaml', 'utf8');
const joinWorkerPipeline = loadPipeline('join-worker.yaml', joinWorker);

export const pipelineTargets: Record<string, Target> = {
  pipeline: {
    run(bytes) {
      const pipeline = loadPipeline('fuzz.yaml', bytes.toString('utf8'));
      const values = Object.entries(GIVEN).filter(([name]) => Object.hasOwn(pipeline.inputs.properties, name));
      planOf(pipeline, registry, structuredClone(Object.fromEntries(values)), HOST);
    },
    shape: fc.oneof(
      { weight: 20, arbitrary: yamlShape(DOCUMENT_BYTES_MAX, parse(joinWorker), smallPipeline) },
      { weight: 1, arbitrary: swollen(STEPS, DOCUMENT_BYTES_MAX, [PIPELINE_HEAD]) },
    ),
    tokens: [
      ...YAML_TOKENS,
      ...words('inputs|properties|steps|needs: |with: |uses: |${{ | }}|host.name|pattern: |$ref: |"#/"'),
    ],
  },

  environment: {
    run(bytes) {
      const environment = loadEnvironment('fuzz', 'fuzz.yaml', bytes.toString('utf8'));
      const { problems } = checkForAllHosts(
        {
          parts: hostParts(environment.tracked).slice(0, 3), // more parts only take longer
          resolve: (applies) => resolvePipeline(joinWorkerTracked, [environment], applyPatch, applies),
        },
        registry,
      );
      if (problems.length > 0) throw fail('E_PIPELINE', { problems });
    },
    shape: yamlShape(DOCUMENT_BYTES_MAX, parse(joinWorkerEnvironment)),
    tokens: [
      ...YAML_TOKENS,
      ...words(
        'patches: |merge: |insert: |remove: |replace: |wrap: |step: |after: |hosts: |match: |jsonPatch: |/steps/0|preflight',
      ),
    ],
  },

  expression: {
    run(bytes) {
      const values = { text: 'a1', number: 3, list: ['a', 'b'], map: { a: 1 }, secret: new Secret('0123456789') };
      const cel = new Cel(bytes.toString('utf8').trim());
      cel.evaluate((reference) => ('name' in reference ? values[reference.name as keyof typeof values] : UNKNOWN));
    },
    throwsErrors: true,
    shape: soup([
      ...words(
        'inputs.text|inputs.number|inputs.list|inputs.map|inputs.?secret|steps.a.status|steps["a"].outputs.text',
      ),
      ...words(
        'has(|.map(x, |.filter(x, |.exists(x, |.orValue(|.matches("|.split("|.join(|.size()|(a+)+$|{"a": |}|x|1',
      ),
      ...words(' + | == | && | in | ? | : |!|(|)|[|]|,|"|//|0xff|1.5'),
    ]),
    tokens: words('inputs.|.matches("|has(|.?|["|.map(x, '),
  },

  flags: {
    run(bytes) {
      const values: Record<string, unknown> = {};
      const { properties } = joinWorkerPipeline.inputs;
      for (const line of bytes.toString('utf8').split('\n')) {
        const [name = '', ...value] = line.split('=');
        const text = value.join('=');
        const schema = Object.hasOwn(properties, name) ? properties[name] : undefined;
        if (schema?.type === 'array')
          values[name] = [...((values[name] as string[] | undefined) ?? []), ...text.split(',')];
        else if (schema !== undefined) values[name] = schema.type === 'boolean' ? true : text;
      }
      planOf(joinWorkerPipeline, registry, values, HOST);
    },
    shape: soup([
      ...[
        'endpoint=',
        'token=',
        'discoveryToken=',
        'tlsBootstrapToken=',
        'discoveryTokenCaCertHash=',
        'nodeName=',
        'criSocket=',
      ],
      ...[
        'discoveryTokenUnsafeSkipCaVerification=\n',
        'ignorePreflightErrors=',
        'wait=',
        '10.0.0.1:6443\n',
        '[::1]:6443\n',
        '\n',
      ],
      ...[
        'abcdef.0123456789abcdef\n',
        CA_PIN,
        ',',
        'ready\n',
        'w1.example\n',
        'a'.repeat(300),
        '-',
        '.',
        '\u001b',
        'Swap',
        'all\n',
      ],
    ]),
    tokens: ['=', ',', '\n', 'sha256:', '.', ':', '[', ']', '-'],
  },
};
