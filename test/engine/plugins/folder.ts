/** Plugins for tests: folders on disk, as an administrator would install them. */
import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { sdk } from '../../../bin/plugins/sdk.ts';
import { inspectPlugin } from '../../../engine/plugins/inspect.ts';
import { type Importer, type LoadedPlugin, loadPlugin } from '../../../engine/plugins/load.ts';
import { type AnyPhase, defined } from '../../../engine/sdk/index.ts';
import { scratch } from '../../helpers/machine.ts';

export const VERSION = '0.1.0';
export const { importer } = createRequire(import.meta.url)('./import.cjs') as { importer: Importer };

export interface PluginSource {
  name?: string;
  version?: string;
  /** Of the manifest; the rest of it is as the module needs it. */
  joinery?: object;
  /** Of package.json beside the manifest. */
  manifest?: object;
  /** Members of the phase `acme`, as source; or the whole module. */
  phase?: string;
  module?: string;
  files?: Record<string, string>;
}

const PHASE = `
  async run({ files }, { text = 'hello' }) {
    await files.write('/etc/motd', text, 0o644);
    return { path: '/etc/motd' };
  },`;

const moduleOf = (phase: string): string => `export default (sdk) => sdk.definePlugin({ phases: [{
  name: 'acme',
  summary: 'Greet every user',
  input: { type: 'object', properties: { text: { type: 'string', description: 'The greeting' } } },
  output: { type: 'object' },
  effects: [sdk.writes('/etc/motd', 0o644, 'the greeting')],
  ${phase}
}] });\n`;

/** Creates the folder of a plugin. Node imports the module of a folder only once. */
export async function pluginFolder(source: PluginSource = {}, folder?: string): Promise<string> {
  const {
    name = 'acme',
    version = '1.0.0',
    joinery,
    manifest,
    phase = PHASE,
    module = moduleOf(phase),
    files,
  } = source;
  const at = folder ?? join(await scratch(), 'acme');
  const plugin = { engine: '^0.1.0', phases: ['acme'], effects: { paths: ['/etc/motd'] }, ...joinery };
  const all = {
    'package.json': JSON.stringify({ name, version, type: 'module', joinery: plugin, ...manifest }),
    'index.js': module,
    ...files,
  };
  for (const [path, content] of Object.entries(all)) {
    await mkdir(dirname(join(at, path)), { recursive: true });
    await writeFile(join(at, path), content);
  }
  return at;
}

export const load = async (source: PluginSource = {}, limitMs?: number): Promise<LoadedPlugin> =>
  loadPlugin(await inspectPlugin(await pluginFolder(source), VERSION), { importer, sdk, ...defined({ limitMs }) });

/** The one phase of a plugin. */
export async function phaseOf(source: PluginSource = {}): Promise<AnyPhase> {
  const [phase] = (await load(source)).phases;
  if (phase === undefined) throw new Error('no phase');
  return phase;
}
