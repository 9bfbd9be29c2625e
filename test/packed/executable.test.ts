/** The release: it is the same each time, and works on a machine without Node. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildArchives } from '../../bin/package/archives.ts';
import { buildExecutable } from '../../bin/package/executable.ts';
import type { Architecture } from '../../bin/package/fetch.ts';
import { project } from '../bin/cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'packed-'));
const machine = join(folder, 'machine');
const PROGRAM = 'usr/bin/joinery';
const digest = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');

async function build(name: string, architecture: Architecture = 'x64', root = project): Promise<string> {
  const scratch = join(folder, name);
  mkdirSync(scratch);
  const output = join(scratch, 'joinery');
  const cache = join(project, 'node_modules/.cache/joinery');
  await buildExecutable({ root, scratch, cache, architecture, output });
  return output;
}

let executable = '';
beforeAll(async () => {
  execFileSync(process.execPath, ['bin/build/build.js', '--types'], { cwd: project, stdio: 'ignore' });
  executable = await build('first');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('two builds of the bundles and of the executable are equal, also in another folder', async () => {
  const copy = join(folder, 'a-copy');
  const sources = ['bin', 'engine', 'environments', 'package.json', 'phases', 'pipelines', 'plugins', 'schemas'];
  for (const path of [...sources, 'tsconfig.json', 'tsconfig.types.json'])
    cpSync(join(project, path), join(copy, path), { recursive: true });
  // Links of files instead of a link of the folder, which the build would follow out of the copy.
  execFileSync('cp', ['--archive', '--link', join(project, 'node_modules'), copy]);
  execFileSync(process.execPath, ['bin/build/build.js', '--types'], { cwd: copy, stdio: 'ignore' });
  for (const bundle of ['dist/join.cjs', 'dist/late.cjs', 'dist/testing.cjs', 'dist/packages.json'])
    expect(digest(join(copy, bundle)), bundle).toBe(digest(join(project, bundle)));
  expect(digest(await build('second', 'x64', copy))).toBe(digest(executable));
});

/** Debian's packages binutils-aarch64-linux-gnu, qemu-user-static, libstdc++6-arm64-cross. */
const foreign = ['aarch64-linux-gnu-strip', 'qemu-aarch64-static'].find(
  (program) => spawnSync(program, ['--version']).error,
);
test.skipIf(foreign !== undefined)(
  `the executable for arm64 starts, and knows its pipelines${foreign === undefined ? '' : `: ${foreign} is missing`}`,
  async () => {
    const emulated = ['-L', '/usr/aarch64-linux-gnu', await build('arm64', 'arm64')];
    const printed = (...args: string[]) =>
      execFileSync('qemu-aarch64-static', [...emulated, ...args], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      });
    expect(printed('--version')).toMatch(/^@joinery\/cli\/\S+ linux-arm64 node-v22\.\S+\n$/);
    expect(printed('pipeline', 'list')).toContain('join-worker');
  },
);

test('two archives of each kind are equal, and hold the same program', () => {
  const tree = join(folder, 'tree');
  mkdirSync(join(tree, 'usr/bin'), { recursive: true });
  writeFileSync(join(tree, PROGRAM), '#!/bin/sh\n', { mode: 0o755 });
  const releases = ['one', 'other'].map((name) => {
    const [scratch, release] = [join(folder, `scratch-${name}`), join(folder, `release-${name}`)];
    for (const each of [scratch, release]) mkdirSync(each);
    buildArchives({ tree, scratch, release, architecture: 'x64', epochSeconds: 1_700_000_000 });
    return Object.fromEntries(readdirSync(release).map((file) => [file, digest(join(release, file))]));
  });
  expect(releases[1]).toEqual(releases[0]);
  expect(Object.keys(releases[0] ?? {}).map((name) => name.replace(/\d+\.\d+\.\d+/, 'VERSION'))).toEqual([
    'joinery-VERSION-1.x86_64.rpm',
    'joinery-VERSION-linux-x64.tar.xz',
    'joinery_VERSION_amd64.deb',
  ]);
  const deb = execFileSync('dpkg-deb', ['--contents', join(folder, 'release-one/joinery_0.1.0_amd64.deb')]);
  expect(String(deb)).toMatch(/-rwxr-xr-x root\/root +10 2023-11-14 22:13 \.\/usr\/bin\/joinery/);
});

const reason = process.getuid?.() === 0 ? undefined : 'it needs root, for debootstrap and chroot';
describe.skipIf(reason !== undefined)(
  `on a minimal Debian without Node${reason === undefined ? '' : `: ${reason}`}`,
  () => {
    beforeAll(() => {
      execFileSync('debootstrap', ['--variant=minbase', 'bookworm', machine], { stdio: 'ignore' });
      copyFileSync(executable, join(machine, PROGRAM));
      chmodSync(join(machine, PROGRAM), 0o755);
      for (const [path, content] of Object.entries(PLUGIN)) {
        mkdirSync(join(machine, path, '..'), { recursive: true });
        writeFileSync(join(machine, path), content);
      }
    });

    /** In a mount namespace of its own, so that /proc is unmounted with the last process. */
    const typed = (script: string) => {
      const enter = 'mount -t proc proc "$0/proc" && exec chroot "$0" /bin/sh -euc "$1"';
      const args = ['--mount', '/bin/sh', '-c', enter, machine, script];
      const { stdout, stderr, status } = spawnSync('unshare', args, {
        encoding: 'utf8',
        env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
      });
      return { output: `${stdout}${stderr}`, status };
    };

    test('the executable joins a machine to the sandbox, shows the plan before, and undoes the join', () => {
      const { output, status } = typed(`
      ! command -v node
      joinery sandbox up > /up & sandbox=$!
      for try in $(seq 300); do grep -q Ctrl-C /up && break; sleep 0.1; done
      arguments=$(sed -n 's/^  .* run \\(.*\\) --dry-run$/\\1/p' /up)
      joinery plan $arguments
      joinery run $arguments
      root=\${arguments##* }
      joinery doctor --root $root
      joinery undo --yes --root $root
      joinery phase kubelet-version --root $root --dry-run
      kill $sandbox; wait $sandbox`);
      expect(output).toContain('join-worker succeeded in');
      expect(output).toMatch(/^✓ node +w1|^✓ node +worker-1/m);
      expect(output).toMatch(/^Run \S+ is undone\./m);
      expect(status).toBe(0);
    });

    test('the demo of the executable joins a machine, and names the executable in the commands to try next', () => {
      const { output, status } = typed('joinery --version; joinery sandbox demo');
      expect(output).toMatch(/^@joinery\/cli\/\S+ linux-x64 node-v22\./);
      expect(output).toMatch(/^\$ joinery run 127\.0\.0\.1:/m);
      expect(output).toContain('Node worker-1: Ready');
      expect(output).toMatch(/^ {2}joinery pipeline show /m);
      expect(status).toBe(0);
    });

    test('the executable runs, resumes and undoes a pipeline with a plugin in TypeScript that has a dependency', () => {
      const { output, status } = typed(`
      cd /pipeline; mkdir -p machine/etc
      joinery plugin lock greet.yaml
      joinery run --pipeline ./greet.yaml --root machine && exit 1
      touch machine/etc/fixed
      joinery resume --root machine
      cat machine/etc/greeting
      joinery undo --yes --root machine
      ls machine/etc`);
      expect(output).toMatch(/^greet succeeded in .*hello.*Run \S+ is undone\..*\nfixed$/ms);
      expect(output).not.toContain('Warning');
      expect(status).toBe(0);
    });

    test('the executable loads a plugin that ships with it, and leaves no copy of it behind', () => {
      const { output, status } = typed('cd /pipeline; joinery plugin list shipped.yaml; ls /tmp');
      expect(output).toMatch(/^notify +\d+\.\d+\.\d+ +shipped .*\n$/m);
      expect(output).not.toMatch(/^joinery-plugins/m);
      expect(status).toBe(0);
    });
  },
);

/** A plugin in TypeScript, with a dependency of its own. Its phase fails until /etc/fixed exists. */
const PLUGIN: Readonly<Record<string, string>> = {
  'pipeline/greet.yaml': `apiVersion: joinery.dev/v1
kind: Pipeline
metadata: { name: greet }
plugins: [./greeting]
steps:
  - { id: greeting, uses: greeting }
`,
  'pipeline/shipped.yaml': `apiVersion: joinery.dev/v1
kind: Pipeline
metadata: { name: shipped }
plugins: [notify]
steps:
  - { id: fixed, uses: file, with: { path: /etc/fixed, content: "" } }
`,
  'pipeline/greeting/package.json': JSON.stringify({
    name: 'greeting',
    version: '1.0.0',
    type: 'module',
    dependencies: { words: '1.0.0' },
    joinery: { engine: '^0.1.0', main: 'index.ts', phases: ['greeting'], effects: { paths: ['/etc/greeting'] } },
  }),
  'pipeline/greeting/node_modules/words/package.json': JSON.stringify({ name: 'words', version: '1.0.0' }),
  'pipeline/greeting/node_modules/words/index.js': "exports.hello = 'hello';",
  'pipeline/greeting/path.ts': "export const path: string = '/etc/greeting';",
  'pipeline/greeting/index.ts': `
import type { PluginFactory, Sdk } from '@joinery/cli/sdk';
import { hello } from 'words';
import { path } from './path.ts';

export default ((sdk) =>
  sdk.definePlugin({
    phases: [
      sdk.definePhase({
        name: 'greeting',
        summary: 'Write a greeting',
        input: { type: 'object', properties: {} },
        output: { type: 'object', properties: {} },
        effects: [sdk.writes(path, 0o644, 'the greeting')],
        async run({ files }) {
          await files.write(path, hello, 0o644);
          if ((await files.stat('/etc/fixed')) === undefined) throw new Error('not fixed');
          return {};
        },
      }),
    ],
  })) satisfies PluginFactory<Sdk>;
`,
};
