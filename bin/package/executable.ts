/** Builds the executable: Node, the launcher, the bundle with its code cache, and the other files that ship. */
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import pjson from '../../package.json' with { type: 'json' };
import { type Architecture, fetchNode, fetchPostject } from './fetch.ts';

/** How Node finds the data in itself: https://nodejs.org/api/single-executable-applications.html */
const RESOURCE = 'NODE_SEA_BLOB';
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

export interface ExecutableRequest {
  /** The folder of the built package. */
  root: string;
  /** An empty folder for intermediate files. */
  scratch: string;
  /** A folder that keeps downloads. */
  cache: string;
  architecture: Architecture;
  output: string;
}

export async function buildExecutable({
  root,
  scratch,
  cache,
  architecture,
  output,
}: ExecutableRequest): Promise<void> {
  const runIn = (cwd: string, program: string, ...args: string[]) =>
    execFileSync(program, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
  const node = join(fetchNode(architecture, cache), 'bin/node');
  const native = join(fetchNode(process.arch as Architecture, cache), 'bin/node');
  const assets: Record<string, string> = Object.fromEntries(shippedFiles(root).map((path) => [path, join(root, path)]));
  writeFileSync(join(scratch, 'paths.json'), JSON.stringify(Object.keys(assets)));
  const { name, version } = pjson;
  writeFileSync(join(scratch, 'package.json'), JSON.stringify({ name, version }));
  // Only Node of the same architecture can write the cache. Without it, each start compiles what it needs.
  const codeCache = join(scratch, 'join.cjs.cache');
  if (architecture === process.arch)
    runIn(root, native, '--predictable', join(import.meta.dirname, 'code-cache.js'), codeCache);
  else writeFileSync(codeCache, '');
  copyFileSync(join(root, 'bin/join.cjs'), join(scratch, 'launcher.cjs'));
  const config = {
    main: 'launcher.cjs', // relative, because the data contains it
    output: 'data',
    disableExperimentalSEAWarning: true,
    assets: {
      ...assets,
      'package.json': 'package.json', // what the launcher reads of it
      'paths.json': 'paths.json',
      'dist/join.cjs': join(root, 'dist/join.cjs'),
      'dist/join.cjs.cache': codeCache,
      'dist/late.cjs': join(root, 'dist/late.cjs'),
      'dist/fleet.cjs': join(root, 'dist/fleet.cjs'),
    },
  };
  writeFileSync(join(scratch, 'sea.json'), JSON.stringify(config));
  runIn(scratch, native, '--experimental-sea-config', 'sea.json');
  runIn(scratch, architecture === process.arch ? 'strip' : 'aarch64-linux-gnu-strip', '-o', output, node);
  const { inject } = createRequire(import.meta.url)(fetchPostject(cache)) as {
    inject(file: string, name: string, data: Buffer, options: { sentinelFuse: string }): Promise<void>;
  };
  await inject(output, RESOURCE, readFileSync(join(scratch, 'data')), { sentinelFuse: FUSE });
  chmodSync(output, 0o755);
}

/** The files that bin/assets.ts reads, sorted. */
function shippedFiles(root: string): string[] {
  const folders = ['dist/page', 'dist/plugins', 'dist/types', 'environments', 'pipelines'];
  const files = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => relative(root, join(parentPath, name))),
  );
  return [...files, 'dist/testing.cjs'].sort();
}
