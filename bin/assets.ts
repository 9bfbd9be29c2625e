/**
 * The files that ship with Joinery: pipelines, environments, plugins, and what tests of plugins import. In a checkout
 * and in the npm package they are files; the executable contains them. Only this module knows the difference.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { readLimited } from '../engine/limits/read.ts';
import { LIMITS } from '../engine/limits/sizes.ts';
import pjson from '../package.json' with { type: 'json' };

export interface Assets {
  /** The words that start this command. */
  readonly program: readonly string[];
  /** The folder that oclif knows as that of the package. It may not exist. */
  readonly root: string;
  /** The names of the files in a folder of the package. */
  names(folder: string): string[];
  /** Throws the error of the file system if the file does not exist. */
  read(path: string): Buffer;
  /** The folder of the plugins that ship. */
  plugins(): string;
  /** The npm specifier of this Joinery for the tests of the plugin in `folder`. */
  packageFor(folder: string): Promise<string>;
}

/** The files in an executable, by their paths in the package. */
export interface EmbeddedFiles {
  paths: readonly string[];
  read(path: string): ArrayBuffer;
}

const PLUGINS = 'dist/plugins';
/** In the folder of a plugin that was created by the executable. */
const PACKAGE = 'joinery-cli';

/** `root` is the folder of Joinery's package. */
export const packageAssets = (root: string): Assets => ({
  program: [process.execPath, join(root, 'bin/join.cjs')],
  root,
  names: (folder) => readdirSync(join(root, folder)),
  read: (path) => readLimited(join(root, path), { bytesMax: LIMITS.text, pipes: 'refuse' }),
  plugins: () => join(root, PLUGINS),
  async packageFor() {
    // The npm package contains the types; a checkout builds them on first use.
    if (!existsSync(join(root, 'dist/types')))
      await promisify(execFile)(process.execPath, [join(root, 'bin/build/build.js'), '--only-types'], { cwd: root });
    return `file:${root}`;
  },
});

export function embeddedAssets({ paths, read }: EmbeddedFiles): Assets {
  let plugins: string | undefined;
  const copy = (prefix: string, to: string): void => {
    for (const path of paths.filter((each) => each.startsWith(prefix))) {
      mkdirSync(dirname(join(to, path)), { recursive: true, mode: 0o755 });
      writeFileSync(join(to, path), new Uint8Array(read(path)), { mode: 0o644 });
    }
  };
  return {
    program: [process.execPath],
    root: dirname(process.execPath),
    names: (folder) => paths.filter((path) => dirname(path) === folder).map((path) => basename(path)),
    read(path) {
      if (!paths.includes(path)) throw Object.assign(new Error(`no file ${path}`), { code: 'ENOENT' });
      return Buffer.from(read(path));
    },
    plugins() {
      // Node imports modules from files only. Each process has its own copy, which no other user can change.
      if (plugins === undefined) {
        const folder = mkdtempSync(join(tmpdir(), 'joinery-plugins-'));
        process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
        copy(`${PLUGINS}/`, folder);
        plugins = join(folder, PLUGINS);
      }
      return plugins;
    },
    async packageFor(folder) {
      const { name, version, type, exports } = pjson;
      for (const part of ['dist/types/', 'dist/testing.cjs']) copy(part, join(folder, PACKAGE));
      writeFileSync(join(folder, PACKAGE, 'package.json'), JSON.stringify({ name, version, type, exports }, null, 2));
      return `file:./${PACKAGE}`;
    },
  };
}
