/** Plugins in a pipeline and by a flag, with `run`, `phase`, `--dry-run`, `resume` and `undo`. */
import { existsSync, readdirSync } from 'node:fs';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type PluginSource, pluginFolder } from '../engine/plugins/folder.ts';
import { scratch } from '../helpers/machine.ts';
import { cli, project } from './cli.ts';

interface Stage {
  folder: string;
  plugin: string;
  root: string;
  pipeline: string;
  /** The built command on this machine; its exit code and output. */
  join(...words: string[]): ReturnType<typeof cli>;
  motd(): Promise<string | undefined>;
  rewrite(parts: PluginSource): Promise<unknown>;
}

/** A machine, a plugin, and a pipeline that uses it. */
async function stage(
  parts: PluginSource = {},
  steps = `  - { id: greet, uses: acme, with: { text: "\${{ inputs.text }}" } }`,
): Promise<Stage> {
  const folder = await scratch();
  const [plugin, root, pipeline] = [join(folder, 'acme'), join(folder, 'machine'), join(folder, 'mine.yaml')];
  await pluginFolder(parts, plugin);
  await mkdir(join(root, 'etc'), { recursive: true });
  await writeFile(
    pipeline,
    `apiVersion: joinery.dev/v1
kind: Pipeline
metadata: { name: mine }
plugins: [./acme]
inputs:
  type: object
  properties:
    text: { type: string, default: hello }
steps:
${steps}
`,
  );
  return {
    folder,
    plugin,
    root,
    pipeline,
    join: (...words) => cli([...words, ...(words[0] === 'plugin' || words[0] === 'pipeline' ? [] : ['--root', root])]),
    motd: () => readFile(join(root, 'etc/motd'), 'utf8').catch(() => undefined),
    rewrite: (changed) => pluginFolder(changed, plugin),
  };
}
/** Fails once its flag is set, after it has written. */
const FAILS = {
  phase:
    "async run({ files }, { text }) { await files.write('/etc/motd', text ?? 'x', 0o644); throw new Error('not today'); },",
};

describe('a plugin that a pipeline names', () => {
  test('a plugin of a pipeline works in a dry run, a run and an undo', async () => {
    const { join: act, pipeline, motd } = await stage();
    expect(await act('pipeline', 'validate', pipeline)).toMatchObject({
      code: 0,
      stdout: `${pipeline}: 1 step, no problems\n`,
    });
    const run = ['run', '--pipeline', pipeline];
    const dry = await act(...run, '--dry-run', '--text', 'hi');
    expect(dry).toMatchObject({ code: 0 });
    expect(dry.stdout).toContain('would create /etc/motd (0644)');
    expect(await motd()).toBeUndefined();
    expect(await act(...run, '--text', 'hi', '--output', 'json')).toMatchObject({ code: 0 });
    expect(await motd()).toBe('hi');
    expect(await act('undo', '--yes')).toMatchObject({ code: 0 });
    expect(await motd()).toBeUndefined();
  });

  test('a resume requires the same plugin that the run started with', async () => {
    const { join: act, pipeline, motd, rewrite, plugin } = await stage(FAILS);
    expect(await act('run', '--pipeline', pipeline)).toMatchObject({ code: 1 });
    expect(await motd()).toBe('hello');
    await rewrite({ version: '1.0.1' });
    const changed = await act('resume');
    expect(changed.code).toBe(12);
    expect(changed.stderr).toContain(
      `was started with plugin acme 1.0.0 in ${plugin}, and the plugin there is now a different one (1.0.1)`,
    );
    const again = await act('run', '--pipeline', pipeline);
    expect(again.code).toBe(2);
    expect(again.stderr).toMatch(/^E_RUN_UNFINISHED: run \S+ is unfinished, and was started with a different plugin/m);
    expect((await act('undo', '--yes')).stderr).toContain('E_RUN_PLUGIN');
    await rewrite(FAILS);
    expect(await act('resume')).toMatchObject({ code: 1 });
    expect(await act('undo', '--yes')).toMatchObject({ code: 0 });
    expect(await motd()).toBeUndefined();
  });

  test('join undo --skip undoes the machine changes of a plugin that is missing', async () => {
    const { join: act, pipeline, motd, plugin } = await stage();
    expect(await act('run', '--pipeline', pipeline)).toMatchObject({ code: 0 });
    await writeFile(join(plugin, 'package.json'), '{}');
    expect((await act('undo', '--yes')).stderr).toContain(`join undo`);
    expect(await act('undo', '--yes', '--skip', 'greet')).toMatchObject({ code: 0 });
    expect(await motd()).toBeUndefined();
  });

  test('a lock beside the pipeline pins a plugin, and a changed plugin is refused', async () => {
    const { join: act, pipeline, plugin, folder } = await stage();
    expect(await act('plugin', 'lock', pipeline)).toMatchObject({ code: 0 });
    const lock = JSON.parse(await readFile(join(folder, 'joinery.lock'), 'utf8'));
    expect(lock).toEqual({
      lockVersion: 1,
      plugins: { acme: { version: '1.0.0', integrity: expect.stringMatching(/^sha512-/) } },
    });
    const run = ['run', '--pipeline', pipeline];
    const listed = async () => (await act('plugin', 'list', pipeline)).stdout.split('\n')[1]?.split(/ {2,}/)[2];
    expect(await listed()).toBe('pinned');
    await writeFile(join(plugin, 'more.js'), '');
    expect(await listed()).toBe('changed');
    const refused = await act(...run, '--dry-run');
    expect(refused.code).toBe(12);
    expect(refused.stderr).toContain(`E_PLUGIN_LOCK: plugin acme does not match ${folder}/joinery.lock`);
    expect(refused.stderr).toContain(`join plugin lock ${pipeline}`);
    expect(await act('plugin', 'lock', pipeline)).toMatchObject({ code: 0 });
    expect(await act(...run, '--dry-run')).toMatchObject({ code: 0 });
  });

  test('a pipeline names plugins by folder or package, and a missing plugin is an error', async () => {
    const { join: act, pipeline, folder } = await stage();
    const text = await readFile(pipeline, 'utf8');
    const named = async (name: string) => {
      await writeFile(pipeline, text.replace('./acme', JSON.stringify(name)));
      return (await act('run', '--pipeline', pipeline, '--dry-run')).stderr;
    };
    expect(await named('./gone')).toContain(`E_PLUGIN_FILES: cannot use ${folder}/gone as a plugin`);
    expect(await named('@acme/gone')).toContain(`E_PLUGIN_MISSING: plugin @acme/gone was not found in`);
    await pluginFolder({ name: '@acme/here' }, join(folder, 'node_modules/@acme/here'));
    expect(await named('@acme/here')).toContain('✓ greet');
  });

  test('no code of a plugin runs if other users could have changed the plugin or the pipeline', async () => {
    const { join: act, pipeline, plugin } = await stage({ module: "console.error('code was run'); export default 1;" });
    await chmod(join(plugin, 'index.js'), 0o666);
    const refused = await act('run', '--pipeline', pipeline);
    expect([refused.code, refused.stderr]).toEqual([
      12,
      expect.stringContaining(`E_FILE_UNTRUSTED: ${plugin}/index.js`),
    ]);
    expect(refused.stderr).not.toContain('code was run');
    await chmod(pipeline, 0o666);
    expect((await act('run', '--pipeline', pipeline)).stderr).toContain(`E_FILE_UNTRUSTED: ${pipeline}`);
  });
});

describe('the plugins that ship', () => {
  test('shipped plugins are used by name and need no pin', async () => {
    const { join: act, pipeline } = await stage();
    const names = readdirSync(join(project, 'plugins')).filter((name) =>
      existsSync(join(project, 'plugins', name, 'package.json')),
    );
    expect(names.length).toBeGreaterThan(0);
    await writeFile(pipeline, (await readFile(pipeline, 'utf8')).replace('./acme', ['./acme', ...names].join(', ')));
    expect(await act('pipeline', 'validate', pipeline)).toMatchObject({ code: 0 });
    const { plugins } = JSON.parse((await act('plugin', 'list', pipeline, '--output', 'json')).stdout);
    expect(plugins.map(({ name, pinned }: Record<string, string>) => `${name} ${pinned}`)).toEqual([
      'acme not pinned',
      ...names.map((name) => `${name} shipped`),
    ]);
    const checked = await Promise.all(names.map((name) => act('plugin', 'check', join(project, 'dist/plugins', name))));
    expect(checked.map(({ code, stderr }) => [code, stderr])).toEqual(names.map(() => [0, '']));
  });
});

describe('a plugin that the command line names', () => {
  test('a plugin of --plugin adds phases with flags and help', async () => {
    const { join: act, plugin, motd } = await stage();
    const help = await act('phase', 'acme', '--plugin', plugin, '--help');
    expect(help.stdout).toContain('--text=TEXT');
    expect(help.stdout).toContain('writes /etc/motd (0644): the greeting');
    expect(help.stdout).toContain('From plugin acme 1.0.0.');
    expect((await cli(['phase', '--plugin', plugin])).stdout).toMatch(/^acme {2,}Greet every user$/m);
    expect((await act('phase', 'acme', '--text', 'x')).stderr).toContain('E_PHASE_UNKNOWN');
    expect(await act('phase', 'acme', `--plugin=${plugin}`, '--text', 'by itself')).toMatchObject({ code: 0 });
    expect(await motd()).toBe('by itself');
    expect(await act('undo', '--yes')).toMatchObject({ code: 0 });
    expect(await motd()).toBeUndefined();
  });

  test('an error names both plugins that define the same phase', async () => {
    const { join: act, plugin, folder } = await stage();
    const other = await pluginFolder({ name: 'other' }, join(folder, 'other'));
    const twice = await act('phase', '--plugin', plugin, '--plugin', other);
    expect(twice).toMatchObject({ code: 3 });
    expect(twice.stderr).toContain(
      `phase acme is defined twice: in plugin acme (${plugin}) and in plugin other (${other})`,
    );
    const own = await pluginFolder(
      { joinery: { phases: ['kubeconfig'] }, phase: "name: 'kubeconfig', async run() {}," },
      join(folder, 'own'),
    );
    expect((await act('phase', '--plugin', own)).stderr).toContain(
      `phase kubeconfig is defined twice: in Joinery itself and in plugin acme (${own})`,
    );
    const same = await pluginFolder({}, join(folder, 'same'));
    expect((await act('phase', '--plugin', plugin, '--plugin', same)).stderr).toContain(
      `plugin acme is defined twice: in ${same} and in ${plugin}`,
    );
  });

  test('a plugin can ship pipelines', async () => {
    const { join: act, plugin, pipeline, rewrite } = await stage();
    const text = (await readFile(pipeline, 'utf8')).replace('plugins: [./acme]\n', '');
    await rewrite({
      joinery: { pipelines: { 'acme-only': 'pipelines/only.yaml' } },
      files: { 'pipelines/only.yaml': text },
    });
    expect((await act('run', '--plugin', plugin, '--pipeline', 'acme-only', '--dry-run')).stdout).toContain(
      'would create /etc/motd',
    );
    expect((await act('run', '--pipeline', 'acme-only', '--dry-run')).stderr).toContain('E_PIPELINE_FILE');
  });

  test('timers and rejected promises that a plugin leaves behind neither delay nor fail the command', async () => {
    const {
      join: act,
      plugin,
      motd,
    } = await stage({
      phase: `async run({ files }) {
        setInterval(() => {}, 1000);
        Promise.reject(new Error('left behind'));
        await new Promise((resolve) => setTimeout(resolve, 50));
        await files.write('/etc/motd', 'x', 0o644);
      },`,
    });
    const outcome = await act('phase', 'acme', '--plugin', plugin);
    expect(outcome).toMatchObject({ code: 0 });
    expect(outcome.stderr).toContain('! a plugin did not handle a rejected promise');
    expect(outcome.stderr).not.toContain('left behind\n    at');
    expect(await motd()).toBe('x');
  });
});

describe('join plugin check', () => {
  test('plugin check prints the effects of a plugin, and that plugins are not sandboxed', async () => {
    const { join: act, plugin } = await stage();
    const { code, stdout } = await act('plugin', 'check', plugin);
    expect(code).toBe(0);
    expect(stdout).toContain(`✓ acme 1.0.0 in ${plugin}, for Joinery ^0.1.0`);
    expect(stdout).toContain('  - write /etc/motd');
    expect(stdout).toContain('✓ phase acme: Greet every user');
    expect(stdout).toContain('Plugins are not sandboxed.');
  });

  test('plugin check runs no code of a plugin that fails a check', async () => {
    const { join: act, plugin } = await stage({
      module: "import 'node:fs';\nconsole.error('code was run');\nexport default 1;",
    });
    const { code, stderr } = await act('plugin', 'check', plugin);
    expect(code).toBe(12);
    expect(stderr).toContain('  - index.js:1: imports node:fs, which bypasses the ports');
    expect(stderr).not.toContain('code was run');
  });
});
