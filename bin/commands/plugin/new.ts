/** `join plugin new`: a folder with a plugin that works, to be changed into the one that is wanted. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { Args, Flags } from '@oclif/core';
import { clean, fail } from '../../../engine/sdk/index.ts';
import pjson from '../../../package.json' with { type: 'json' };
import { JoinCommand } from '../../command.ts';

const NAME = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const run = promisify(execFile);

export class PluginNew extends JoinCommand {
  static override summary = 'Make a plugin with one phase, its schema, its test and its README';
  static override description =
    'In a new folder of that name; npm installs what its test needs. Then: cd NAME && npm test';
  static override examples = [
    '<%= config.bin %> plugin new acme-proxy',
    '<%= config.bin %> plugin new acme-proxy --javascript',
  ];
  static override args = { name: Args.string({ required: true, description: 'Name of the plugin, and of its phase' }) };
  static override flags = {
    javascript: Flags.boolean({
      description: 'Plain JavaScript with types in comments, which needs no build; left out: TypeScript',
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(PluginNew);
    const { name } = args;
    const problems = NAME.test(name) ? [] : [`NAME: ${clean(name)} must be lower-case letters, digits and -`];
    const folder = resolve(name);
    if (problems.length === 0 && !(await isMade(folder)))
      problems.push(`NAME: ${folder} cannot be made: it is there already, or may not be`);
    if (problems.length > 0) throw fail('E_INPUT', { problems });
    const { pluginFiles } = await import('../../plugins/template.ts');
    const { typescript, '@types/node': nodeTypes } = pjson.devDependencies;
    const { root } = this.config;
    const language = flags.javascript ? 'javascript' : 'typescript';
    const files = pluginFiles({
      ...{ name, language, version: pjson.version, typescript, nodeTypes },
      joinery: `file:${root}`,
    });
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), content, { flag: 'wx' });
    }
    this.log(
      `${Object.keys(files)
        .map((path) => `  ${name}/${path}`)
        .join('\n')}`,
    );
    await makeTypes(root);
    await run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: folder }).then(
      () => this.log(`\nNext: cd ${name} && npm test`),
      (error: Error) =>
        this.log(
          `\nnpm could not install what its test needs: ${clean(error.message)}\nNext: cd ${name} && npm install && npm test`,
        ),
    );
  }
}

const isMade = (folder: string): Promise<boolean> =>
  mkdir(folder).then(
    () => true,
    () => false,
  );

/** A package that was packed has them; a checkout makes them when they are first asked for. */
async function makeTypes(root: string): Promise<void> {
  if (existsSync(join(root, 'dist/types'))) return;
  await run(process.execPath, [join(root, 'bin/build/build.js'), '--only-types'], { cwd: root });
}
