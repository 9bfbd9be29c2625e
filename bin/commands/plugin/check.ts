/** `join plugin check`: reports everything that can be known about a plugin. */
import { Args } from '@oclif/core';
import { fail } from '../../../engine/sdk/index.ts';
import pjson from '../../../package.json' with { type: 'json' };
import { JoinCommand } from '../../command.ts';

const NO_SANDBOX = [
  'Plugins are not sandboxed. The ports limit what a phase does through them, but code in the same process can bypass',
  'them in ways that reading the code may not reveal. Only install what you would run as root.',
  'More: docs/plugin-trust.md',
].join('\n');

export class PluginCheck extends JoinCommand {
  static override summary = 'Check the manifest, files and code of a plugin';
  static override description = [
    'Checks who can change its files, its manifest, and whether its code bypasses the ports, as far as reading it',
    'shows. Only if all of that passes, loads its module and compares it with the manifest.',
  ].join(' ');
  static override args = { folder: Args.string({ required: true, description: 'Folder of the plugin' }) };

  async run(): Promise<void> {
    const { args } = await this.parse(PluginCheck);
    const { plugins } = this.app;
    const { inspectPlugin } = await import('../../../engine/plugins/inspect.ts');
    const { findingsOf } = await import('../../../engine/plugins/findings.ts');
    const plugin = await inspectPlugin(args.folder, pjson.version);
    const { manifest, integrity, folder } = plugin;
    const { name, version, engine, effects } = manifest;
    this.log(`✓ ${name} ${version} in ${folder}, for Joinery ${engine}`);
    this.log(`✓ only root and you can change it; ${integrity}`);
    const { boundsText } = await import('../../render/plugins.ts');
    this.log(`  It may:\n${boundsText(effects)}`);
    const findings = await findingsOf(plugin);
    if (findings.length > 0) {
      this.log(`${NO_SANDBOX}\n`);
      throw fail('E_PLUGIN_FINDINGS', {
        plugin: name,
        findings: findings.map(({ file, line, what }) => `${file}:${line}: ${what}`),
      });
    }
    this.log('✓ its code does not bypass the ports, as far as reading it shows');
    const { loadPlugin } = await import('../../../engine/plugins/load.ts');
    const { sdk } = await import('../../plugins/sdk.ts');
    plugins.beforeCode();
    const { phases } = await loadPlugin(plugin, { importer: plugins.importer, sdk });
    for (const phase of phases) this.log(`✓ phase ${phase.name}: ${phase.summary}`);
    this.log(NO_SANDBOX);
  }
}
