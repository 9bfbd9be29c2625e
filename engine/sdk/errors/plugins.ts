/** Errors of plugins, and of files that decide what is run. */
import { type ErrorText, EXIT } from './join-error.ts';

export interface Pin {
  version: string;
  integrity: string;
}

const lines = (items: readonly string[]): string => items.map((item) => `\n  - ${item}`).join('');

export const plugins = {
  E_FILE_UNTRUSTED: (d: { file: string; why: string; command: string }) => ({
    message: `${d.file} decides what is run here, and others can change it: ${d.why}`,
    hint: `Look at what is in it; then make it yours alone: ${d.command}`,
    exitCode: EXIT.trust,
  }),
  E_PLUGIN_CODE: (d: { plugin: string; what: string }) => ({
    message: `the code of plugin ${d.plugin} cannot be loaded: ${d.what}`,
    hint: `See what is wrong with it: join plugin check ${d.plugin}`,
    exitCode: EXIT.pipeline,
  }),
  E_PLUGIN_ENGINE: (d: { plugin: string; range: string; version: string }) => ({
    message: `plugin ${d.plugin} works with Joinery ${d.range}, and this is ${d.version}`,
    hint: 'Install a version of the plugin for this Joinery, or leave it out.',
    exitCode: EXIT.pipeline,
  }),
  E_PLUGIN_FILES: (d: { folder: string; what: string }) => ({
    message: `${d.folder} cannot be used as a plugin: ${d.what}`,
    hint: 'A plugin is a folder of files with all of its dependencies in its own node_modules: npm ci --omit=dev makes those.',
    exitCode: EXIT.pipeline,
  }),
  E_PLUGIN_FINDINGS: (d: { plugin: string; findings: readonly string[] }) => ({
    message: `the code of plugin ${d.plugin} does what no port sees:${lines(d.findings)}`,
    hint: 'Read these lines; whoever wrote them can say why. What a phase needs of a machine is in its ports: docs/writing-a-phase.md',
    exitCode: EXIT.trust,
  }),
  E_PLUGIN_LOCK: (d: { plugin: string; file: string; command: string; pinned: Pin | undefined; found: Pin }) => ({
    message:
      d.pinned === undefined
        ? `${d.file} does not pin plugin ${d.plugin} ${d.found.version}`
        : `plugin ${d.plugin} is not the one that ${d.file} pins: that is ${d.pinned.version} (${d.pinned.integrity}), and this is ${d.found.version} (${d.found.integrity})`,
    hint: `Look at what has changed in it; to have it pinned as it is now: ${d.command}`,
    exitCode: EXIT.trust,
  }),
  E_PLUGIN_LOCK_FILE: (d: { file: string; what: string }) => ({
    message: `${d.file} cannot be read: ${d.what}`,
    hint: 'Restore it from where you keep it, or write it anew: join plugin lock',
    exitCode: EXIT.pipeline,
  }),
  E_PLUGIN_MANIFEST: (d: { file: string; problems: readonly string[] }) => ({
    message: `the manifest ${d.file} is no plugin's:${lines(d.problems)}`,
    hint: 'What it may say is in schemas/plugin.schema.json; join plugin new NAME makes a plugin to start from.',
    exitCode: EXIT.pipeline,
  }),
  E_PLUGIN_MISMATCH: (d: { plugin: string; differences: readonly string[] }) => ({
    message: `the code of plugin ${d.plugin} is not what its manifest says:${lines(d.differences)}`,
    hint: 'Ask whoever wrote it to correct one of the two. None of its phases was run.',
    exitCode: EXIT.pipeline,
  }),
  E_PLUGIN_MISSING: (d: { plugin: string; searched: readonly string[] }) => ({
    message: `there is no plugin ${d.plugin}; looked for in ${d.searched.join(', ')}`,
    hint: 'Install it there, or name its folder: --plugin ./FOLDER',
    exitCode: EXIT.pipeline,
  }),
  E_PLUGIN_TWICE: (d: { what: string; first: string; second: string }) => ({
    message: `${d.what} is there twice: in ${d.first} and in ${d.second}`,
    hint: 'Choose one of the two, and remove the other or rename what it adds.',
    exitCode: EXIT.pipeline,
  }),
  E_RUN_PLUGIN: (d: { run: string; plugin: string; folder: string; version: string; what: string }) => ({
    message: `run ${d.run} was begun with plugin ${d.plugin} ${d.version} in ${d.folder}, and ${d.what}`,
    hint: `Install that version there again. To take the run back without what its steps have left outside of this machine: join undo ${d.run} --skip STEP`,
    exitCode: EXIT.trust,
  }),
} satisfies Record<`E_${string}`, (facts: never) => ErrorText>;
