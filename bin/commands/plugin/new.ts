/** `join plugin new`: creates a folder with a working plugin to start from. */
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { Args, Flags } from '@oclif/core';
import { reasonOf } from '../../../engine/limits/errno.ts';
import { clean, fail } from '../../../engine/sdk/index.ts';
import pjson from '../../../package.json' with { type: 'json' };
import { JoinCommand } from '../../command.ts';

const NAME = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const run = promisify(execFile);

export class PluginNew extends JoinCommand {
  static override summary = 'Create a plugin with one phase, its schema, its test and its README';
  static override description =
    'Creates a folder of that name, where npm installs the test dependencies. Then: cd NAME && npm test';
  static override examples = [
    '<%= config.bin %> plugin new acme-proxy',
    '<%= config.bin %> plugin new acme-proxy --javascript',
  ];
  static override args = { name: Args.string({ required: true, description: 'Name of the plugin and of its phase' }) };
  static override flags = {
    javascript: Flags.boolean({
      description: 'Write JavaScript with types in comments, which needs no build (default TypeScript)',
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(PluginNew);
    const { name } = args;
    const folder = resolve(name);
    await createFolder(folder, name);
    const { pluginTemplate } = await import('../../plugins/template.ts');
    const { typescript, '@types/node': nodeTypes } = pjson.devDependencies;
    const files = pluginTemplate({
      name,
      language: flags.javascript ? 'javascript' : 'typescript',
      version: pjson.version,
      joinery: await this.app.assets.packageFor(folder),
      typescript,
      nodeTypes,
    });
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true, mode: 0o755 });
      await writeFile(join(folder, path), content, { flag: 'wx', mode: 0o644 }); // never open to a group
      this.report(`  ${name}/${path}`);
    }
    await run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: folder }).then(
      () => this.report(`\nNext: cd ${name} && npm test`),
      (error: Error) =>
        this.report(
          `\nnpm could not install the test dependencies: ${clean(error.message)}` +
            `\nNext: cd ${name} && npm install && npm test`,
        ),
    );
  }
}

/** E_INPUT if `name` is not allowed, or the folder cannot be created. */
async function createFolder(folder: string, name: string): Promise<void> {
  if (!NAME.test(name))
    throw fail('E_INPUT', { problems: [`NAME: ${clean(name)} must be lower-case letters, digits and -`] });
  await mkdir(folder, { mode: 0o755 }).catch((error: Error) => {
    throw fail('E_INPUT', { problems: [`NAME: cannot create ${folder}: ${reasonOf(error)}`] }, error);
  });
}
