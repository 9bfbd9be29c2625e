/** Builds of the command for these tests: with a phase that leaks, and without the code that keeps secrets. */
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { project } from '../bin/cli.ts';

/** By file: the code that keeps a secret, and its replacement. */
const TAKEN_OUT: Record<string, [kept: string, open: string][]> = {
  'engine/sdk/secret.ts': [["return '***';", 'return this.#value;']],
  'engine/run/redact.ts': [
    ['mapped(value, (text) => this.#redactText(text))', 'mapped(value, (text) => text)'],
    ['this.hasSecret(text) ? new Secret(text) : text', 'text'],
    ['return this.#next(text, 0) !== undefined;', 'return false;'],
  ],
  'engine/journal/secrets.ts': [
    ['return { $secret: keep(name, value) } satisfies Placeholder;', 'return [keep(name, value), value.reveal()][1];'],
  ],
  'engine/journal/run-folder.ts': [['async deleteSecrets(): Promise<void> {', 'async deleteSecrets() { return;']],
  'engine/host/commands.ts': [
    ['{ ...environment, ...this.#environment }', '{ ...process.env, ...environment, ...this.#environment }'],
  ],
  'engine/host/changes/file.ts': [['content: secret ? undefined : content.', 'content: content.']],
  'bin/render/error.ts': [[".replace(/\\b([a-z0-9]{6})\\.[a-z0-9]{16}\\b/g, '$1.***')", '']],
  'bin/join.cjs': [
    ["process.title = 'join';", ''],
    ['delete process.env.DEBUG;', ''],
  ],
};

/** Fails if the sources no longer contain the code in this table. */
async function open(path: string): Promise<string> {
  let text = await readFile(join(project, path), 'utf8');
  for (const [kept, instead] of TAKEN_OUT[path] ?? []) {
    if (!text.includes(kept)) throw new Error(`test/canary/built.ts: ${path} has no ${kept}`);
    text = text.replaceAll(kept, instead);
  }
  return text;
}

const opened: Plugin = {
  name: 'without the code that keeps secrets',
  setup({ onLoad }) {
    for (const path of Object.keys(TAKEN_OUT).filter((name) => name.endsWith('.ts')))
      onLoad({ filter: new RegExp(`${path.replaceAll('.', '\\.')}$`) }, async () => ({
        contents: await open(path),
        loader: 'ts',
      }));
  },
};

const PHASE_LIST = 'const PHASES: readonly AnyPhase[] = [';
const leaky: Plugin = {
  name: 'one more phase',
  setup({ onLoad }) {
    onLoad({ filter: /bin\/compose\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      if (!text.includes(PHASE_LIST)) throw new Error(`test/canary/built.ts: ${path} has no ${PHASE_LIST}`);
      const added = `import leaky from ${JSON.stringify(join(project, 'test/canary/leaky.ts'))};\n`;
      return { contents: added + text.replace(PHASE_LIST, `${PHASE_LIST} leaky,`), loader: 'ts' };
    });
  },
};

/** The launcher of a command with the phase `leaky`; if `isOpen`, without the code that keeps secrets. */
export async function builtCommand(folder: string, isOpen: boolean): Promise<string> {
  await mkdir(join(folder, 'bin'), { recursive: true });
  const launcher = join(folder, 'bin/join.cjs');
  if (isOpen) await writeFile(launcher, await open('bin/join.cjs'));
  else await cp(join(project, 'bin/join.cjs'), launcher);
  for (const name of ['package.json', 'pipelines', 'schemas']) await symlink(join(project, name), join(folder, name));
  await build({
    entryPoints: [join(project, 'bin/main.ts')],
    outfile: join(folder, 'dist/join.cjs'),
    plugins: isOpen ? [opened, leaky] : [leaky],
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    logLevel: 'warning',
  });
  return launcher;
}
