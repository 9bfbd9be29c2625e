/** A journal that cannot be read stops neither other runs nor a reset, and what is readable of it can be undone. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { LIMITS } from '../../engine/limits/sizes.ts';
import resultSchema from '../../schemas/run-result.schema.json' with { type: 'json' };
import runsSchema from '../../schemas/runs.schema.json' with { type: 'json' };
import undoSchema from '../../schemas/undo-result.schema.json' with { type: 'json' };
import { cli, type Outcome, scene } from '../bin/cli.ts';
import { scratch } from '../helpers/machine.ts';

const ajv = () => new Ajv2020({ strict: false, validateFormats: false, schemas: [resultSchema] });

/** A machine on which each run writes one file for each name. */
async function machine() {
  const root = await scratch();
  await mkdir(join(root, 'etc'));
  const file = join(root, 'pipeline.yaml');
  const steps = (names: readonly string[]) =>
    names.map((name) => `  - { id: ${name}, uses: file, with: { path: /etc/${name}, content: x } }\n`).join('');
  const run = async (...names: string[]): Promise<Outcome> => {
    const head = 'apiVersion: joinery.dev/v1\nkind: Pipeline\nmetadata: { name: made }\nsteps:\n';
    await writeFile(file, head + steps(names), { mode: 0o644 });
    return cli(['run', '--pipeline', file, '--root', root]);
  };
  const runs = join(root, 'var/lib/joinery/runs');
  const journals = async () => (await readdir(runs)).sort().map((id) => join(runs, id, 'journal.jsonl'));
  const join_ = (...args: string[]) => cli([...args, '--root', root]);
  return { root, run, journals, join: join_, isThere: (name: string) => existsSync(join(root, 'etc', name)) };
}

/** One bit of a line is another. */
async function damage(journal: string, line: number): Promise<void> {
  const lines = (await readFile(journal, 'latin1')).split('\n');
  lines[line - 1] = (lines[line - 1] ?? '').replace('"seq"', '"seR"');
  await writeFile(journal, lines.join('\n'), 'latin1');
}

const DAMAGES: Record<string, (journal: string) => Promise<void>> = {
  'its first line is damaged': (journal) => damage(journal, 1),
  'it is garbage': (journal) => writeFile(journal, Buffer.alloc(5_000, 0xff)),
  'it is empty': (journal) => writeFile(journal, ''),
  'it is a sparse file of 50 GiB': (journal) => truncate(journal, 50 * 2 ** 30),
};

describe('a journal that cannot be read', () => {
  test.each(Object.keys(DAMAGES))(
    'a journal that cannot be read is listed, and old ones do not stop a run: %s',
    async (name) => {
      const { run, join: join_, journals, isThere } = await machine();
      expect((await run('a')).code).toBe(0);
      await new Promise((resolve) => setTimeout(resolve, 1_100));
      expect((await run('b')).code).toBe(0);
      await DAMAGES[name]?.((await journals())[0] ?? '');
      const listed = await join_('runs');
      expect([listed.code, listed.stderr]).toEqual([0, '']);
      expect(listed.stdout).toMatch(/succeeded[\s\S]*unreadable/);
      const document = JSON.parse((await join_('runs', '--output', 'json')).stdout);
      const validate = ajv().compile(runsSchema);
      expect(validate(document), JSON.stringify(validate.errors)).toBe(true);
      expect([(await run('c')).code, (await run('c')).code, isThere('c')]).toEqual([0, 0, true]);
      expect((await join_('runs', 'prune', '--keep', '0')).code).toBe(0);
      expect((await join_('runs')).stdout).toContain('unreadable');
    },
    60_000,
  );

  test('a journal that cannot be read does not stop join reset, whatever is where the journals were', async () => {
    const { root, args } = await scene();
    expect((await cli(args('run'))).code).toBe(0);
    const runs = join(root, 'var/lib/joinery/runs');
    const [id = ''] = await readdir(runs);
    await writeFile(join(runs, id, 'journal.jsonl'), 'garbage\ngarbage\n');
    await mkdir(join(runs, '20261124-100000-0000/journal.jsonl/x'), { recursive: true });
    const done = await cli(['reset', '--yes', '--root', root]);
    expect([done.code, done.stderr]).toEqual([0, expect.not.stringContaining('E_')]);
    expect(existsSync(join(root, 'etc/kubernetes/kubelet.conf'))).toBe(false);
    expect((await cli(args('run'))).code).toBe(0);
  }, 60_000);

  test('a damaged journal is undone as far as it is readable, and the undo reports the rest as unknown', async () => {
    const { run, root, join: join_, journals, isThere } = await machine();
    expect((await run('a', 'b', 'c')).code).toBe(0);
    const [journal = ''] = await journals();
    const lines = (await readFile(journal, 'utf8')).split('\n');
    const line = lines.findIndex((text) => text.includes('"kind":"change"') && text.includes('/etc/c')) + 1;
    await damage(journal, line);
    const refused = await join_('undo', '--yes');
    expect(refused.code).toBe(6);
    expect(refused.stderr).toContain('join undo --salvage');
    const salvaged = await join_('undo', '--salvage', '--yes', '--output', 'json');
    expect(salvaged.code, salvaged.stderr).toBe(0);
    expect(salvaged.stderr).toContain(`unreadable from line ${line} on`);
    const document = JSON.parse(salvaged.stdout);
    const validate = ajv().compile(undoSchema);
    expect(validate(document), JSON.stringify(validate.errors)).toBe(true);
    expect(document).toMatchObject({ status: 'undone-in-part', unknown: { line } });
    expect([isThere('a'), isThere('b'), isThere('c')]).toEqual([false, false, true]);
    expect(await readFile(join(root, document.unknown.kept), 'utf8')).toContain('/etc/c');
    expect([(await join_('runs')).code, (await run('d')).code]).toEqual([0, 0]);
  }, 60_000);

  test('a journal that cannot be read is undone up to the limit if it is longer than that', async () => {
    const { run, join: join_, journals, isThere } = await machine();
    expect((await run('a')).code).toBe(0);
    const [journal = ''] = await journals();
    await truncate(journal, LIMITS.journal + 1);
    expect((await join_('undo', '--yes')).code).toBe(6);
    expect((await join_('undo', '--salvage', '--yes')).code).toBe(0);
    expect(isThere('a')).toBe(false);
  }, 60_000);
});
