/** `join plugin check`: all that can be known of a plugin, and what of that no port holds. */
import { Args } from '@oclif/core';
import { fail } from '../../../engine/sdk/index.ts';
import pjson from '../../../package.json' with { type: 'json' };
import { JoinCommand } from '../../command.ts';
import { launcher, useLauncher } from '../../plugins/discover.ts';

const NO_SANDBOX = [
  'This is no sandbox. The ports hold what a phase does through them; code in the same process can get past them in ways that',
  'nobody finds by reading. Install what you would run as root. More: docs/plugin-trust.md',
].join('\n');

export class PluginCheck extends JoinCommand {
  static override summary = 'Check a plugin: its manifest, its files, its code';
  static override description = [
    'Who can change its files; its manifest; what of its code no port sees, as far as reading shows. Only where all of that is',
    'well, its module is loaded and compared with the manifest.',
  ].join('\n');
  static override args = { folder: Args.string({ required: true, description: 'The folder of the plugin' }) };

  async run(): Promise<void> {
    const { args } = await this.parse(PluginCheck);
    const { inspectPlugin } = await import('../../../engine/plugins/inspect.ts');
    const { findingsOf } = await import('../../../engine/plugins/findings.ts');
    const plugin = await inspectPlugin(args.folder, pjson.version);
    const { manifest, integrity, folder } = plugin;
    const { name, version, engine, effects } = manifest;
    this.log(`✓ ${name} ${version} in ${folder}, for Joinery ${engine}`);
    this.log(`✓ nobody but root and you can change it; ${integrity}`);
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
    this.log('✓ nothing in its code that gets past the ports, as far as reading it shows');
    const { loadPlugin } = await import('../../../engine/plugins/load.ts');
    const { sdk } = await import('../../plugins/sdk.ts');
    useLauncher();
    const { phases } = await loadPlugin(plugin, { importer: launcher.import, sdk });
    for (const phase of phases) this.log(`✓ phase ${phase.name}: ${phase.summary}`);
    this.log(NO_SANDBOX);
  }
}
