/** Pipelines that consist of another pipeline and changes. */
import { describe, expect, test } from 'vitest';
import { openSource } from '../../../engine/environment/extension.ts';
import { resolvePipeline } from '../../../engine/environment/resolve.ts';
import { joinErrorOf } from '../../helpers/errors.ts';

const HEAD = 'apiVersion: joinery.dev/v1\nkind: Pipeline\nmetadata: { name: site }\n';
const BASE = `${HEAD.replace('site', 'base')}inputs: { type: object, properties: { wait: { type: string } } }
steps:
  - { id: a, uses: assert }
  - { id: b, uses: assert }
`;

const open = (texts: Record<string, string>, name = 'site') =>
  openSource(name, {
    read: (each) => ({ file: `${each}.yaml`, text: texts[each] ?? '' }),
    beside: (_, written) => written,
  });
const stepsOf = async (texts: Record<string, string>) => {
  const { pipeline } = resolvePipeline(await open(texts), [], undefined);
  return pipeline.steps.map(({ id, needs }) => [id, needs]);
};
const problemsOf = async (texts: Record<string, string>): Promise<string[]> =>
  (await joinErrorOf(() => open(texts))).message.split('\n');

describe('a pipeline that extends another', () => {
  test('a pipeline that extends another has the steps of both, its own name, and values for inputs', async () => {
    const site = `${HEAD}extends: base
inputs: { wait: ready }
patches:
  - insert: { after: a, step: { id: own, uses: assert } }
  - remove: b
`;
    const source = await open({ site, base: BASE });
    const { pipeline } = resolvePipeline(source, [], undefined);
    expect(pipeline.metadata.name).toBe('site');
    expect(pipeline.file).toBe('site.yaml');
    expect(pipeline.inputs.properties.wait).toEqual({ type: 'string', default: 'ready' });
    expect(pipeline.steps.map(({ id, needs }) => [id, needs])).toEqual([
      ['a', []],
      ['own', ['a']],
    ]);
    expect(source.files).toEqual(['base.yaml', 'site.yaml']);
  });

  test('pipelines that extend each other are applied from the inner one to the outer one', async () => {
    const middle = `${HEAD}extends: base\npatches: [{ insert: { at: end, step: { id: c, uses: assert } } }]\n`;
    const site = `${HEAD}extends: middle\npatches: [{ insert: { before: c, step: { id: d, uses: assert } } }]\n`;
    expect(await stepsOf({ site, middle, base: BASE })).toEqual([
      ['a', []],
      ['b', ['a']],
      ['d', ['b']],
      ['c', ['d']],
    ]);
  });

  test('the digest of a pipeline changes with that of a pipeline that it extends', async () => {
    const site = `${HEAD}extends: base\n`;
    const { digest } = await open({ site, base: BASE });
    expect((await open({ site, base: `${BASE}# new\n` })).digest).not.toBe(digest);
    expect((await open({ site: `${site}# new\n`, base: BASE })).digest).not.toBe(digest);
    expect((await open({ site, base: BASE })).digest).toBe(digest);
  });

  test('a problem of a patch is reported in the file with the patch', async () => {
    const site = `${HEAD}extends: base\npatches: [{ remove: bb }]\n`;
    expect(await problemsOf({ site, base: BASE })).toEqual(['site.yaml:5:21: there is no step bb; did you mean b?']);
  });

  test('a problem of the base is reported in the file of the base', async () => {
    const source = await open({ site: `${HEAD}extends: base\n`, base: BASE.replace('uses: assert', 'use: assert') });
    const { message } = await joinErrorOf(() => resolvePipeline(source, [], undefined));
    expect(message).toContain('base.yaml:6:14: unknown key use');
    expect(message).not.toContain('site.yaml');
  });

  test.each([
    ['steps of its own', 'steps: []\n', 'site.yaml:5:1: unknown key steps'],
    ['a list of pipelines', 'extends: [base]\n', 'site.yaml:4:10: must be a string'],
    ['needs in a new step', 'patches: [{ insert: { after: a, step: { id: n, needs: [b] } } }]\n', 'needs'],
  ])('a pipeline that extends another cannot have %s', async (_, lines, problem) => {
    const site = lines.startsWith('extends') ? HEAD + lines : `${HEAD}extends: base\n${lines}`;
    expect((await problemsOf({ site, base: BASE })).join()).toContain(problem);
  });

  test('a pipeline that would extend itself is refused at the place where it does', async () => {
    const site = `${HEAD}extends: other\n`;
    const other = `${HEAD}extends: site\n`;
    expect(await problemsOf({ site, other })).toEqual([
      'other.yaml:4:10: site would extend itself: site extends other extends site',
    ]);
  });

  test('more than eight pipelines on top of each other are refused', async () => {
    const texts = Object.fromEntries(
      Array.from({ length: 10 }, (_, index) => [index === 0 ? 'site' : `p${index}`, `${HEAD}extends: p${index + 1}\n`]),
    );
    expect(await problemsOf({ ...texts, p10: BASE })).toEqual([
      'p8.yaml:4:10: at most 8 pipelines can extend each other',
    ]);
  });
});
