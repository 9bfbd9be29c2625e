/** kubeadm's tables of command lines. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cli } from '../bin/cli.ts';
import { type Case, expectKubeadms, readTable } from './table.ts';

interface Line extends Case {
  args: string[];
  file?: string;
  /** A command other than `join run`. */
  cmd?: number;
  /** Values of the pipeline's inputs. */
  values?: Record<string, unknown>;
}
const { cases, cfg } = readTable<{ cfg: string }>('join-lines') as unknown as { cases: Line[]; cfg: string };
const KUBECONFIG = `apiVersion: v1
kind: Config
clusters: [{ name: prod, cluster: { certificate-authority-data: , server: "localhost:8000" } }]
contexts: [{ name: default, context: { cluster: prod, user: u } }]
current-context: default
users: []
`;
/** Errors of the line itself. All others come from a machine without a kubelet and a cluster that does not exist. */
const REFUSED = /\bE_(INPUT|USAGE|CONFIG|PREFLIGHT_IGNORE)\b/;

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lines-'));
  await mkdir(join(folder, 'root'));
  await writeFile(join(folder, 'kc'), KUBECONFIG);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const inFolder = (args: readonly string[]) =>
  args.map((arg) => (['cfg.yaml', 'kc'].includes(arg) ? join(folder, arg) : arg));

test.each(cases)(
  'join run accepts or refuses the command line as kubeadm does: $id',
  async ({ args, file = cfg, cmd, values = {}, ...expected }) => {
    await writeFile(join(folder, 'cfg.yaml'), file);
    const root = ['--root', join(folder, 'root')];
    const dry = ['--discovery-timeout', '1s', ...(args.includes('--dry-run') ? [] : ['--dry-run'])];
    const line = cmd === undefined ? ['run', ...inFolder(args), ...root, ...dry] : inFolder(args);
    const { code, stderr } = await cli(line, { HOME: folder, KUBECONFIG: join(folder, 'kc') });
    if (expected.want === 'fails') expect(code).not.toBe(0);
    else expectKubeadms(expected, code !== 0 && REFUSED.test(stderr) ? 'no' : 'ok');
    if (Object.keys(values).length === 0) return;
    const endpoint = args[0]?.startsWith('-') ? [] : ['--endpoint'];
    const shown = inFolder(args).filter((arg) => !arg.startsWith('--discovery-token-unsafe'));
    const { stdout } = await cli(['pipeline', 'explain', ...endpoint, ...shown, ...root, '--output', 'json']);
    const lines = (JSON.parse(stdout) as { values: { path: string | string[]; value: unknown }[] }).values;
    const explained = (name: string) => lines.find(({ path }) => [path].flat().join('.') === `values.${name}`)?.value;
    expect(Object.fromEntries(Object.keys(values).map((name) => [name, explained(name)]))).toEqual(values);
  },
);
