import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dottedPathOf, FIELDS } from '../../engine/kubeadm/fields.ts';
import { loadJoinConfiguration, migrateConfiguration } from '../../engine/kubeadm/index.ts';
import { VERSIONS } from '../../engine/kubeadm/versions.ts';
import { checkPipeline } from '../../engine/pipeline/check.ts';
import { loadPipeline } from '../../engine/pipeline/load.ts';
import { planOfPhase } from '../../engine/pipeline/phase-plan.ts';
import { run } from '../../engine/run/run.ts';
import type { AnyPhase } from '../../engine/sdk/index.ts';
import { memoryHost } from '../../engine/testing/memory-host.ts';
import { cli, project } from '../bin/cli.ts';
import { registry } from '../helpers/app.ts';

const read = (path: string): Promise<string> => readFile(join(project, path), 'utf8');
const blocks = (text: string, language: string): string[] =>
  [...text.matchAll(new RegExp(`^ *\`\`\`${language}\n([\\s\\S]*?)^ *\`\`\``, 'gm'))].map((match) => match[1] ?? '');

describe('what the documents show', () => {
  test('every pipeline in the README is valid', async () => {
    const pipelines = blocks(await read('README.md'), 'yaml');
    expect(pipelines.length).toBeGreaterThan(0);
    for (const text of pipelines)
      expect(checkPipeline(loadPipeline('README.md', text), registry).steps.length).toBeGreaterThan(0);
  });

  test('every command in the README exists', async () => {
    const words = [...(await read('README.md')).matchAll(/\bjoin ((?:[a-z]+ ?)+?)(?= ?[^a-z ]|$)/gm)].map(
      (match) => match[1]?.trim() ?? '',
    );
    const commands = new Set(
      words.map((text) => /^(run|phase|pipeline validate|sandbox up|token create)\b/.exec(text)?.[0]).filter(Boolean),
    );
    expect([...commands].sort()).toEqual(['phase', 'pipeline validate', 'run', 'sandbox up', 'token create']);
    for (const command of commands)
      expect((await cli([...(command ?? '').split(' '), '--help'])).code, command).toBe(0);
  });

  test('the phase in CONTRIBUTING.md runs and writes its file', async () => {
    const [source = ''] = blocks(await read('CONTRIBUTING.md'), 'ts');
    const folder = join(project, 'node_modules/.cache/docs-test');
    await mkdir(folder, { recursive: true });
    await writeFile(
      join(folder, 'schema.ts'),
      [
        "export const input = { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] } as const;",
        "export const output = { type: 'object' } as const;",
      ].join('\n'),
    );
    await writeFile(join(folder, 'index.ts'), source.replaceAll('../../engine', `${project}engine`));
    const { default: greeting } = (await import(join(folder, 'index.ts'))) as { default: AnyPhase };
    const host = memoryHost({ directories: ['/etc'] });
    const result = await run({ plan: planOfPhase('greeting', greeting, { text: 'hello' }, host.facts), host });
    expect(result).toMatchObject({
      status: 'succeeded',
      steps: [{ changes: [{ kind: 'file', path: '/etc/motd', mode: 0o644, content: 'hello\n' }] }],
    });
    await rm(folder, { recursive: true });
  });

  const kubeadmFiles = (text: string) => blocks(text, 'yaml').filter((block) => block.includes('kubeadm.k8s.io'));

  test('the configurations in docs/configuration.md are valid; the second migrates the first', async () => {
    const [first = '', second = '', ...more] = kubeadmFiles(await read('docs/configuration.md'));
    expect(more).toEqual([]);
    expect(loadJoinConfiguration('second', second)).toMatchObject({ settings: { nodeName: 'gpu-1' }, warnings: [] });
    const { text, changes } = migrateConfiguration('first', first);
    expect({ text: text.reveal(), changes }).toEqual({ text: second, changes: [] });
  });

  test('the table in docs/configuration.md names every field in every version', async () => {
    const rows = [...(await read('docs/configuration.md')).matchAll(/^\| .+ \| (v1.+) \|$/gm)].map(([, cell]) => cell);
    const places = FIELDS.map((field) => VERSIONS.map((version) => dottedPathOf(field, version)));
    expect(rows).toEqual(
      places.map((each) =>
        each
          .flatMap((place, index) =>
            place === each[index - 1] ? [] : [`${VERSIONS[index]} ${place === undefined ? '-' : `\`${place}\``}`],
          )
          .join(', '),
      ),
    );
  });

  test('the commands in docs/configuration.md succeed and write what it shows', async () => {
    const text = await read('docs/configuration.md');
    const folder = await mkdtemp(join(tmpdir(), 'docs-'));
    await writeFile(join(folder, 'worker.yaml'), kubeadmFiles(text)[0] ?? '');
    const lines = (blocks(text, 'sh')[0] ?? '').trim().split('\n');
    expect(lines.length).toBeGreaterThan(4);
    for (const line of lines) {
      const words = (line.split(/ [>#] /)[0] ?? '').trim().split(/ +/).slice(1);
      const outcome = await cli(words.map((word) => (word.endsWith('.yaml') ? join(folder, word) : word)));
      expect(outcome, line).toMatchObject({ code: 0, stderr: '' });
    }
    expect(await readFile(join(folder, 'v1beta4.yaml'), 'utf8')).toBe(kubeadmFiles(text)[1]);
    await rm(folder, { recursive: true });
  });

  test('every file and folder that the documents link to exists', async () => {
    const docs = (await readdir(join(project, 'docs'), { recursive: true })).filter((name) => name.endsWith('.md'));
    for (const path of ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', ...docs.map((name) => `docs/${name}`)]) {
      const links = [...(await read(path)).matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map((match) => match[1] ?? '');
      for (const link of links)
        await expect(
          import('node:fs/promises').then(({ access }) => access(join(project, path, '..', link))),
          `${path} → ${link}`,
        ).resolves.toBeUndefined();
    }
  });
});
