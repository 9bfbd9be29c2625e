import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { registry } from '../bin/compose.ts';
import { memoryHost } from '../engine/host/memory.ts';
import { checkPipeline } from '../engine/pipeline/check.ts';
import { loadPipeline } from '../engine/pipeline/load.ts';
import { planOfPhase } from '../engine/pipeline/single.ts';
import { run } from '../engine/run.ts';
import type { AnyPhase } from '../engine/sdk/index.ts';
import { cli, project } from './bin/cli.ts';

const read = (path: string): Promise<string> => readFile(join(project, path), 'utf8');
const blocks = (text: string, language: string): string[] =>
  [...text.matchAll(new RegExp(`^ *\`\`\`${language}\n([\\s\\S]*?)^ *\`\`\``, 'gm'))].map((match) => match[1] ?? '');

describe('what the documents show', () => {
  test('every pipeline in the README is valid', async () => {
    const pipelines = blocks(await read('README.md'), 'yaml');
    expect(pipelines.length).toBeGreaterThan(0);
    for (const text of pipelines)
      expect(checkPipeline(loadPipeline('README.md', text), registry()).length).toBeGreaterThan(0);
  });

  test('every command in the README exists', async () => {
    const words = [...(await read('README.md')).matchAll(/\bjoin ((?:[a-z]+ ?)+?)(?= ?[^a-z ]|$)/gm)].map(
      (match) => match[1]?.trim() ?? '',
    );
    const commands = new Set(
      words.map((text) => /^(run|phase|pipeline validate|sandbox up)\b/.exec(text)?.[0]).filter(Boolean),
    );
    expect([...commands].sort()).toEqual(['phase', 'pipeline validate', 'run', 'sandbox up']);
    for (const command of commands)
      expect((await cli([...(command ?? '').split(' '), '--help'])).code, command).toBe(0);
  });

  test('the phase in CONTRIBUTING does what it says', async () => {
    const [source = ''] = blocks(await read('CONTRIBUTING.md'), 'ts');
    const folder = join(project, 'node_modules/.cache/docs-test');
    await mkdir(folder, { recursive: true });
    await writeFile(
      join(folder, 'schema.ts'),
      `export const input = { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] } as const;\nexport const output = { type: 'object' } as const;\n`,
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

  test('every file and folder they link to is there', async () => {
    for (const path of [
      'README.md',
      'CONTRIBUTING.md',
      'docs/architecture.md',
      'docs/dependencies.md',
      'docs/preflight.md',
    ]) {
      const links = [...(await read(path)).matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map((match) => match[1] ?? '');
      for (const link of links)
        await expect(
          import('node:fs/promises').then(({ access }) => access(join(project, path, '..', link))),
          `${path} → ${link}`,
        ).resolves.toBeUndefined();
    }
  });
});
