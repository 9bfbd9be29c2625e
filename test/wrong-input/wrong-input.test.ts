/** `join run` with invalid input: the exact message, within a time limit, and an unchanged machine. */
import { createHash } from 'node:crypto';
import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Sandbox, startSandbox } from '../../plugins/sandbox/index.ts';
import { makeMachine } from '../../plugins/sandbox/machine/machine.ts';
import { startRuntime } from '../../plugins/sandbox/machine/runtime.ts';
import { joinRun } from '../helpers/join-run.ts';
import { processorMs } from '../helpers/processor-time.ts';
import { wrongArguments } from './arguments.ts';
import { wrongForTheCluster } from './cluster.ts';
import { wrongConfigurations, wrongDiscoveryFiles } from './configuration.ts';
import { wrongControlPlanes } from './control-plane.ts';
import { wrongCredentials } from './credentials.ts';
import { type WrongInput, ZERO_PIN } from './wrong.ts';

/** Limit of processor time, because other programs may share this machine. */
const LIMIT_MS = 2_000;
/** Wall-clock time may be this many times the limit. */
const BUSY = 4;
const NOBODY = { endpoint: '127.0.0.1:1', token: 'abcdef.0123456789abcdef', caPin: ZERO_PIN };
let folder = '';
let root = '';
let runtime: Awaited<ReturnType<typeof startRuntime>>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wrong-'));
  root = join(folder, 'm');
  await mkdir(root);
  await makeMachine(root, { hostName: 'w1', kubelet: ['/bin/false'] });
  runtime = await startRuntime(root);
});
afterAll(async () => {
  await runtime.close();
  await rm(folder, { recursive: true, force: true });
});

/** Every path of the machine with its mode and a digest of its content, except Joinery's own records. */
async function tree(): Promise<string[]> {
  const paths = await readdir(root, { recursive: true });
  const entries = paths
    .filter((path) => !/^(given|var\/lib\/joinery)(\/|$)/.test(path))
    .map(async (path) => {
      const place = join(root, path);
      const stats = await lstat(place);
      const bytes = stats.isFile() ? await readFile(place) : '';
      const content = stats.isSymbolicLink() ? await readlink(place) : bytes;
      return `${path} ${stats.mode.toString(8)} ${createHash('sha256').update(content).digest('hex')}`;
    });
  return (await Promise.all(entries)).sort();
}

/** Placeholders of the tables, and what each stands for in arguments and messages. */
function words({ endpoint, token, caPin }: Pick<Sandbox, 'endpoint' | 'token' | 'caPin'>): [string, string][] {
  const [id = ''] = token.split('.');
  return [
    ['ENDPOINT', endpoint],
    ['TOKEN', token],
    ['ID', id],
    ['PIN', caPin],
    ['FOLDER', join(root, 'given')],
  ];
}

async function outcomeOf(wrong: WrongInput, sandbox: typeof NOBODY) {
  const stands = words(sandbox);
  const typed = (text: string) =>
    stands.reduce((known, [word, value]) => known.replaceAll(new RegExp(`\\b${word}\\b`, 'g'), value), text);
  const withPlaceholders = (text: string) =>
    stands.reduce((known, [word, value]) => known.replaceAll(value, word), text);
  for (const [name, text] of Object.entries(wrong.files ?? {})) {
    const place = join(root, 'given', name);
    await mkdir(dirname(place), { recursive: true });
    await writeFile(place, text);
  }
  const variables = Object.entries(wrong.variables ?? {}).map(([name, value]) => [name, typed(value)]);
  const [from, fromProcessor] = [performance.now(), processorMs()];
  const { code, stdout, stderr } = await joinRun(
    [...wrong.args.map(typed), '--root', root],
    Object.fromEntries(variables),
  );
  const at = stderr.search(/^E_/m);
  return {
    code,
    text: withPlaceholders(at < 0 ? stderr : stderr.slice(at))
      .replace(/node-csr-[\w-]{43}/g, 'CSR')
      .replace(/is 30[12] s/, 'is 300 s')
      .trimEnd(),
    tookMs: Math.max((performance.now() - from) / BUSY, processorMs() - fromProcessor),
    output: stdout + stderr,
  };
}

describe.each([
  ['credentials', wrongCredentials],
  ['arguments', wrongArguments],
  ['control planes', wrongControlPlanes],
  ['configurations', wrongConfigurations],
  ['discovery files', wrongDiscoveryFiles],
  ['for the cluster', wrongForTheCluster],
])('wrong %s', (_kind, table) => {
  test.each(table.map((wrong): [string, WrongInput] => [wrong.title, wrong]))(
    'join run reports %s',
    async (_, wrong) => {
      const sandbox =
        wrong.cluster === undefined ? undefined : await startSandbox(wrong.now === undefined ? {} : { now: wrong.now });
      try {
        await mkdir(join(root, 'given'));
        const before = await tree();
        if (sandbox !== undefined) await wrong.cluster?.(sandbox);
        const { code, text, tookMs, output } = await outcomeOf(wrong, sandbox ?? NOBODY);
        expect({ exitCode: code, text }).toEqual({ exitCode: wrong.exitCode, text: wrong.text });
        expect(tookMs).toBeLessThan(LIMIT_MS);
        expect(await tree()).toEqual(before);
        expect(output).not.toContain((sandbox ?? NOBODY).token.split('.')[1]);
      } finally {
        await sandbox?.close();
        for (const leftover of ['given', 'var/lib/joinery', 'run/joinery'])
          await rm(join(root, leftover), { recursive: true, force: true });
      }
    },
  );
});

test('the tables of invalid inputs have at least 60 cases, each with a title of its own', () => {
  const titles = [
    ...wrongCredentials,
    ...wrongArguments,
    ...wrongControlPlanes,
    ...wrongConfigurations,
    ...wrongDiscoveryFiles,
    ...wrongForTheCluster,
  ].map(({ title }) => title);
  expect(titles.length).toBeGreaterThanOrEqual(60);
  expect(new Set(titles).size).toBe(titles.length);
});
