/** Plugins that are wrong, and files that decide what Joinery runs. */
import { type ErrorText, EXIT } from './join-error.ts';

export interface Pin {
  version: string;
  integrity: string;
}

const lines = (items: readonly string[]): string => items.map((item) => `\n  - ${item}`).join('');

export const plugins = {
  E_FILE_UNTRUSTED: (d: { file: string; why: string; command: string }) => ({
    message: `${d.file} decides what Joinery runs, but other users can change it: ${d.why}`,
    hint: `Check its content, then restrict access to it: ${d.command}`,
    exitCode: EXIT.trust,
  }),
  E_PLUGIN_CODE: (d: { plugin: string; what: string }) => ({
    message: `cannot load the code of plugin ${d.plugin}: ${d.what}`,
    hint: `Check the plugin: join plugin check ${d.plugin}`,
    exitCode: EXIT.pipeline,
  }),
  E_PLUGIN_ENGINE: (d: { plugin: string; range: string; version: string }) => ({
    message: `plugin ${d.plugin} requires Joinery ${d.range}; this is ${d.version}`,
    hint: 'Install a version of the plugin that supports this version of Joinery, or remove the plugin.',
    exitCode: EXIT.pipeline,
  }),
  E_PLUGIN_FILES: (d: { folder: string; what: string }) => ({
    message: `cannot use ${d.folder} as a plugin: ${d.what}`,
    hint:
      'A plugin is a folder with all of its dependencies in its own node_modules. Install them there: npm ci ' +
      '--omit=dev',
    exitCode: EXIT.pipeline,
  }),
  E_PLUGIN_FINDINGS: (d: { plugin: string; findings: readonly string[] }) => ({
    message: `the code of plugin ${d.plugin} bypasses the ports:${lines(d.findings)}`,
    hint:
      'Read these lines, and ask the author of the plugin about them. A phase should use a machine only ' +
      'through its ports: docs/writing-a-phase.md',
    exitCode: EXIT.trust,
  }),
  E_PLUGIN_LOCK: (d: { plugin: string; file: string; command: string; pinned: Pin | undefined; found: Pin }) => ({
    message:
      d.pinned === undefined
        ? `${d.file} does not pin plugin ${d.plugin} ${d.found.version}`
        : `plugin ${d.plugin} does not match ${d.file}: it pins ${d.pinned.version} (${d.pinned.integrity}), but ` +
          `the plugin is ${d.found.version} (${d.found.integrity})`,
    hint: `Check what has changed in it. To pin it as it is now: ${d.command}`,
    exitCode: EXIT.trust,
  }),
  E_PLUGIN_LOCK_FILE: (d: { file: string; what: string }) => ({
    message: `cannot read ${d.file}: ${d.what}`,
    hint: 'Restore it from a backup, or create it again: join plugin lock',
    exitCode: EXIT.pipeline,
  }),
  E_PLUGIN_MANIFEST: (d: { file: string; problems: readonly string[] }) => ({
    message: `${d.file} is not a valid plugin manifest:${lines(d.problems)}`,
    hint: 'schemas/plugin.schema.json describes the manifest. To create a plugin to start from: join plugin new NAME',
    exitCode: EXIT.pipeline,
  }),
  E_PLUGIN_MISMATCH: (d: { plugin: string; differences: readonly string[] }) => ({
    message: `the code of plugin ${d.plugin} does not match its manifest:${lines(d.differences)}`,
    hint: 'Ask the author of the plugin to correct the code or the manifest. No phase of the plugin has run.',
    exitCode: EXIT.pipeline,
  }),
  E_PLUGIN_MISSING: (d: { plugin: string; searched: readonly string[] }) => ({
    message: `plugin ${d.plugin} was not found in ${d.searched.join(', ')}`,
    hint: 'Install it in one of these folders, or name its own folder: --plugin ./FOLDER',
    exitCode: EXIT.pipeline,
  }),
  E_PLUGIN_TWICE: (d: { what: string; first: string; second: string }) => ({
    message: `${d.what} is defined twice: in ${d.first} and in ${d.second}`,
    hint: 'Delete one of the two, or rename it.',
    exitCode: EXIT.pipeline,
  }),
  E_RUN_PLUGIN: (d: { run: string; plugin: string; folder: string; version: string; what: string }) => ({
    message: `run ${d.run} was started with plugin ${d.plugin} ${d.version} in ${d.folder}, and ${d.what}`,
    hint:
      `Install that version there again. To undo the run without the plugin's changes outside this machine: ` +
      `join undo ${d.run} --skip STEP`,
    exitCode: EXIT.trust,
  }),
} satisfies Record<`E_${string}`, (facts: never) => ErrorText>;
