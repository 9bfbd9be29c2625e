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

const told = ({ file, line, column, message, rule }: Problem): string =>
  `${file === 'made.yaml' ? '' : `${file}:`}${line}:${column}: ${message} (${rule})`;

/** What `join pipeline validate` finds. */
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

describe('a pipeline that is wrong', () => {
  test.each(named([...brokenSteps, ...brokenValues]))(
    'is refused at its place: %s',
    async (_, { pipeline, whole, problems }) => {
      const text = whole ?? `${PIPELINE_HEAD}${pipeline}`;
      expect((await problemsOf(text)).map(told)).toEqual(problems);
      const run = () => checkPipeline(loadPipeline('made.yaml', text), registry);
      const asRun = problems.map((problem) => `made.yaml:${problem.replace(/ \([a-z-]+\)$/, '')}`).join('\n');
      expect(run, 'as a run without environments sees it').toThrow(asRun);
    },
  );
});

describe('an environment that is wrong', () => {
  test('and one that is not', async () => {
    expect(await problemsOf(`${PIPELINE_HEAD}${SOUND}`, `${ENVIRONMENT_HEAD}inputs: { wait: ready }\n`)).toEqual([]);
  });
  test.each(named(brokenEnvironments))('is refused at its place: %s', async (_, { environment, whole, problems }) => {
    const found = await problemsOf(`${PIPELINE_HEAD}${SOUND}`, whole ?? `${ENVIRONMENT_HEAD}${environment}`);
    expect(found.map(told)).toEqual(problems);
  });
});
