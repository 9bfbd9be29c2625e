/** Hands commands to oclif, which otherwise looks for them in modules by itself. */
import { type Command, Plugin } from '@oclif/core';
import pjson from '../package.json' with { type: 'json' };

/** `commands` by their ID; `root` is the folder of Joinery's package. */
export async function commandPlugin(
  root: string,
  commands: Readonly<Record<string, Command.Class>>,
): Promise<Plugin> {
  const plugin = new Plugin({ root, isRoot: true, pjson: pjson as never, ignoreManifest: true });
  await plugin.load();
  plugin.commandIDs = Object.keys(commands);
  plugin.commands = Object.entries(commands).map(([id, command]) => loadable(id, command, plugin));
  return plugin;
}

function loadable(id: string, command: Command.Class, plugin: Plugin): Command.Loadable {
  command.id = id;
  command.plugin = plugin;
  const { aliases = [], hiddenAliases = [], hidden, args, flags, summary, description, examples, usage } = command;
  return {
    id,
    aliases,
    hiddenAliases,
    hidden: hidden ?? false,
    args: args as Command.Loadable['args'],
    flags: flags as Command.Loadable['flags'],
    summary,
    description,
    examples,
    usage,
    strict: command.strict,
    hasDynamicHelp: false,
    pluginName: plugin.name,
    pluginAlias: plugin.alias,
    pluginType: plugin.type,
    load: async () => command,
  };
}
