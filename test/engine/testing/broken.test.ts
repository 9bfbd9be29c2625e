import { describe, expect, test } from 'vitest';
import { checkForAllHosts, problemsIn } from '../../../engine/environment/check.ts';
import { loadEnvironment, readTracked } from '../../../engine/environment/load.ts';
import { hostParts, loadJsonPatch, resolvePipeline } from '../../../engine/environment/resolve.ts';
import { checkPipeline } from '../../../engine/pipeline/check.ts';
import { loadPipeline } from '../../../engine/pipeline/load.ts';
import type { Problem } from '../../../engine/sdk/index.ts';
import { registry } from '../../helpers/app.ts';
import { type Broken, ENVIRONMENT_HEAD, PIPELINE_HEAD, SOUND } from './broken.ts';
import { brokenEnvironments } from './broken-environments.ts';
import { brokenSteps } from './broken-steps.ts';
import { brokenValues } from './broken-values.ts';

const problemText = ({ file, line, column, message, rule }: Problem): string =>
  `${file === 'made.yaml' ? '' : `${file}:`}${line}:${column}: ${message} (${rule})`;

/** The problems that `join pipeline validate` finds. */
async function problemsOf(pipeline: string, environment?: string): Promise<readonly Problem[]> {
  try {
    const base = readTracked('made.yaml', pipeline);
    const environments = environment === undefined ? [] : [loadEnvironment('site', 'site.yaml', environment)];
    const patcher = await loadJsonPatch(environments);
    return checkForAllHosts(
      {
        parts: environments.flatMap(({ tracked }) => hostParts(tracked)),
        resolve: (applies) => resolvePipeline(base, environments, patcher, applies),
      },
      registry,
    ).problems;
  } catch (error) {
    return problemsIn(error);
  }
}

const named = (cases: readonly Broken[]) => cases.map((each) => [each.what, each] as const);

describe('a broken pipeline', () => {
  test.each(named([...brokenSteps, ...brokenValues]))(
    'a broken pipeline is refused with the position of the problem: %s',
    async (_, { pipeline, whole, problems }) => {
      const text = whole ?? `${PIPELINE_HEAD}${pipeline}`;
      expect((await problemsOf(text)).map(problemText)).toEqual(problems);
      const run = () => checkPipeline(loadPipeline('made.yaml', text), registry);
      const asRun = problems.map((problem) => `made.yaml:${problem.replace(/ \([a-z-]+\)$/, '')}`).join('\n');
      expect(run, 'the error of a run without environments').toThrow(asRun);
    },
  );
});

describe('a broken environment', () => {
  test('a correct environment has no problems', async () => {
    expect(await problemsOf(`${PIPELINE_HEAD}${SOUND}`, `${ENVIRONMENT_HEAD}inputs: { wait: ready }\n`)).toEqual([]);
  });
  test.each(named(brokenEnvironments))(
    'a broken environment is refused with the position of the problem: %s',
    async (_, { environment, whole, problems }) => {
      const found = await problemsOf(`${PIPELINE_HEAD}${SOUND}`, whole ?? `${ENVIRONMENT_HEAD}${environment}`);
      expect(found.map(problemText)).toEqual(problems);
    },
  );
});
