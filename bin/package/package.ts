/**
 * `npm run package`: builds all files of a release in dist/release. The same commit and tools give the same bytes.
 */
import 'reflect-metadata'; // before tsyringe, which bin/compose.ts imports
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import pjson from '../../package.json' with { type: 'json' };
import { packageAssets } from '../assets.ts';
import { composeApp } from '../compose.ts';
import { allCommands } from '../main.ts';
import { completionText } from '../render/completion.ts';
import { buildArchives } from './archives.ts';
import { billOfMaterials } from './bill-of-materials.ts';
import { buildExecutable } from './executable.ts';
import { type Architecture, fetchNode } from './fetch.ts';
import { manualPages } from './manual.ts';

const root = process.cwd();
const cache = join(root, 'node_modules/.cache/joinery');
const release = join(root, 'dist/release');
/** The time of the commit, unless the caller sets it: https://reproducible-builds.org/specs/source-date-epoch/ */
const epochSeconds = Number(
  process.env.SOURCE_DATE_EPOCH ?? execFileSync('git', ['log', '-1', '--format=%ct'], { encoding: 'utf8' }),
);

execFileSync(process.execPath, ['bin/build/build.js', '--types'], { cwd: root, stdio: 'inherit' });
mkdirSync(release);
// Strip has a program for each foreign architecture: Debian's package binutils-aarch64-linux-gnu.
const others: Architecture[] = process.arch === 'x64' && hasProgram('aarch64-linux-gnu-strip') ? ['arm64'] : [];
for (const architecture of [process.arch as Architecture, ...others]) await build(architecture);
writeSums();

function hasProgram(name: string): boolean {
  return spawnSync(name, ['--version'], { stdio: 'ignore' }).error === undefined;
}

async function build(architecture: Architecture): Promise<void> {
  const scratch = join(root, 'dist/scratch');
  mkdirSync(scratch);
  const executable = join(release, `joinery-${pjson.version}-linux-${architecture}`);
  await buildExecutable({ root, scratch, cache, architecture, output: executable });
  const tree = join(scratch, 'tree');
  for (const [path, content] of Object.entries(staged(architecture))) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), content, { mode: 0o644 });
  }
  mkdirSync(join(tree, 'usr/bin'), { recursive: true });
  copyFileSync(executable, join(tree, 'usr/bin/joinery'));
  buildArchives({ tree, scratch, release, architecture, epochSeconds });
  rmSync(scratch, { recursive: true });
}

/** Everything that is installed beside the executable, by its path. */
function staged(architecture: Architecture): Record<string, string | Buffer> {
  const date = new Date(epochSeconds * 1000).toISOString().slice(0, 10);
  const commands = allCommands(composeApp({ assets: packageAssets(root) }));
  const pages = manualPages(commands, date);
  const completion = (shell: 'bash' | 'fish') => `${completionText(shell, commands, ['joinery'])}\n`;
  const notices = readFileSync(join(root, 'dist/THIRD-PARTY-NOTICES'), 'utf8');
  const nodeLicense = readFileSync(join(fetchNode(architecture, cache), 'LICENSE'), 'utf8');
  const allNotices = `${notices}\n${'-'.repeat(80)}\n\nThe executable also contains Node.\n\n${nodeLicense}`;
  const bill = billOfMaterials(root, epochSeconds);
  writeFileSync(join(release, 'THIRD-PARTY-NOTICES'), allNotices);
  writeFileSync(join(release, `joinery-${pjson.version}.cdx.json`), bill);
  return {
    ...Object.fromEntries(
      Object.entries(pages).map(([name, page]) => [`usr/share/man/man1/${name}.gz`, gzipSync(page, { level: 9 })]),
    ),
    'usr/share/bash-completion/completions/joinery': completion('bash'),
    'usr/share/fish/vendor_completions.d/joinery.fish': completion('fish'),
    'usr/share/doc/joinery/copyright': readFileSync(join(root, 'LICENSE')),
    'usr/share/doc/joinery/THIRD-PARTY-NOTICES': allNotices,
    'usr/share/doc/joinery/joinery.cdx.json': bill,
  };
}

/** SHA256SUMS, for `sha256sum --check`. */
function writeSums(): void {
  const lines = readdirSync(release)
    .sort()
    .map(
      (name) =>
        `${createHash('sha256')
          .update(readFileSync(join(release, name)))
          .digest('hex')}  ${name}\n`,
    );
  writeFileSync(join(release, 'SHA256SUMS'), lines.join(''));
}
