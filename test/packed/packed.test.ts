/** Plugins are created, tested and run with the published package, installed in an empty folder. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startSandbox } from '../../plugins/sandbox/index.ts';
import { project } from '../bin/cli.ts';
import { follow, stepsOf } from '../helpers/guide.ts';

let home = '';
let env: NodeJS.ProcessEnv;
const typed = (line: string, cwd = home) =>
  execFileSync('bash', ['-euo', 'pipefail', '-c', line], {
    cwd,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'packed-'));
  env = { ...process.env, PATH: `${join(home, 'node_modules/.bin')}${delimiter}${process.env.PATH}` };
  typed(`npm pack --silent --pack-destination ${home}`, project);
  typed('npm init -y && npm install --no-audit --no-fund --loglevel=error ./joinery-cli-*.tgz');
});
afterAll(() => rm(home, { recursive: true, force: true }));

describe('beside the packed package', () => {
  test('the commands of docs/writing-a-phase.md lead to a working phase with the packed package', async () => {
    const guide = await readFile(join(project, 'docs/writing-a-phase.md'), 'utf8');
    const folder = join(home, 'guide');
    await mkdir(folder);
    const output = await follow(stepsOf(guide), folder, env);
    expect(output).toContain('# fail 0');
    expect(output).toMatch(/^acme-mirror +0\.1\.0 +pinned/m);
  });

  test.each(['', '--javascript'])(
    'a new plugin of the packed package passes its tests and works in a dry run: %s',
    async (language) => {
      const folder = join(home, `new${language}`);
      await mkdir(join(folder, 'machine/etc'), { recursive: true });
      typed(`npx join plugin new acme ${language}`, folder);
      expect(typed('npm test', join(folder, 'acme'))).toContain('# fail 0');
      expect(typed('npx join plugin check acme', folder)).toContain('✓ phase acme: Write /etc/acme.conf');
      const sandbox = await startSandbox();
      try {
        const pipeline = [
          ...[
            'apiVersion: joinery.dev/v1',
            'kind: Pipeline',
            'metadata: { name: mine }',
            'inputs: { type: object, properties: {',
          ],
          '  endpoint: { type: string }, token: { type: string, writeOnly: true },',
          '  discoveryTokenCaCertHash: { type: array, items: { type: string } } } }',
          ...['steps:', '  - id: discovery', '    uses: discovery-token', '    with:'],
          ...['endpoint', 'token', 'discoveryTokenCaCertHash'].map((name) => `      ${name}: \${{ inputs.${name} }}`),
          `  - { id: acme, uses: acme, with: { text: "\${{ steps.discovery.outputs.server }}" } }`,
        ].join('\n');
        await writeFile(join(folder, 'mine.yaml'), pipeline);
        const args = [
          ...[
            'join',
            'run',
            sandbox.endpoint,
            '--pipeline',
            './mine.yaml',
            '--plugin',
            'acme',
            '--root',
            'machine',
            '--dry-run',
          ],
          ...['--token', sandbox.token, '--discovery-token-ca-cert-hash', sandbox.caPin],
        ];
        // Asynchronously, because the cluster answers from this process.
        const child = spawn('npx', args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] });
        expect(await text(child.stdout)).toContain('would create /etc/acme.conf (0644)');
      } finally {
        await sandbox.close();
      }
    },
  );

  test('a new JavaScript plugin passes the type check', async () => {
    const folder = join(home, 'new--javascript/acme');
    const options = '--noEmit --checkJs --strict --target es2023 --module nodenext --skipLibCheck --types node';
    typed(
      `${join(project, 'node_modules/.bin/tsc')} ${options} --typeRoots ${join(project, 'node_modules/@types')} index.js`,
      folder,
    );
  });
});
