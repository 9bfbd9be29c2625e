/** Hands commands to oclif, which would otherwise search modules for them. */
import { type Command, Plugin } from '@oclif/core';
import pjson from '../package.json' with { type: 'json' };

/** `commands` by their ID; `root` is the folder of Joinery's package. */
export async function commandPlugin(root: string, commands: Readonly<Record<string, Command.Class>>): Promise<Plugin> {
  const plugin = new Plugin({ root, isRoot: true, pjson: pjson as never, ignoreManifest: true });
  await plugin.load();
  plugin.commandIDs = Object.keys(commands);
  plugin.commands = Object.entries(commands).map(([id, command]) => loadable(id, command, plugin));
  return plugin;
}

/** The description of a command for help. oclif runs the class itself. */
function loadable(id: string, command: Command.Class, plugin: Plugin): Command.Loadable {
  Object.assign(command, { id, plugin });
  const { aliases = [], hiddenAliases = [], hidden = false, strict } = command;
  const { summary, description, examples, usage } = command;
  return {
    id,
    aliases,
    hiddenAliases,
    hidden,
    strict,
    summary,
    description,
    examples,
    usage,
    args: forHelp(command.args) as Command.Loadable['args'],
    flags: forHelp(command.flags) as Command.Loadable['flags'],
    hasDynamicHelp: false,
    pluginName: plugin.name,
    pluginAlias: plugin.alias,
    pluginType: plugin.type,
    load: async () => command,
  };
}

/** Without defaults, because the descriptions name them. */
const forHelp = (items: Readonly<Record<string, object>> = {}): Record<string, object> =>
  Object.fromEntries(Object.entries(items).map(([name, item]) => [name, { ...item, name, default: undefined }]));
