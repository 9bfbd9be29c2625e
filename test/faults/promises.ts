/** The promises of every run with a fault: it ends in time, with a readable error, and leaves no partial file. */
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'vitest';
import type { Change } from '../../engine/host/changes/index.ts';
import { paths } from '../../engine/node/index.ts';
import { EXIT, isJoinError } from '../../engine/sdk/index.ts';
import { PROJECT } from '../helpers/sources.ts';
import { keyFiles } from './failing-fs.ts';
import { type Fault, LIMIT_MS } from './fault.ts';
import type { Outcome } from './join.ts';
import type { Scene } from './scene.ts';

/** What a shared machine may be late by. */
const CRI_SOCKET = 'kubeadm.alpha.kubernetes.io/cri-socket';
const LATE_MS = 4_000;
/** Everything that a terminal may obey or that turns text around; a new line is our own. */
const CONTROL = /(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
/** What the machine's own programs write. */
const NOT_OURS = /^\/(run\/kubelet\.|var\/log\/)/;

const validResult = new Ajv2020({ strict: false }).compile(
  JSON.parse(readFileSync(join(PROJECT, 'schemas/run-result.schema.json'), 'utf8')),
);

/** Exit code by error code, as docs/errors.md tells them. */
const documented = new Map(
  [...readFileSync(join(PROJECT, 'docs/errors.md'), 'utf8').matchAll(/^## (E_\w+)\n\nExit code (\d+)/gm)].map(
    ([, code = '', exitCode]) => [code, Number(exitCode)],
  ),
);

/** Path → what is there, for every file and link below the root. */
export type Tree = Map<string, { content: string; mode: number }>;

/** Read at once: nothing else can happen in between. */
export function treeOf(root: string): Tree {
  const tree: Tree = new Map();
  for (const folder of ['etc', 'run', 'var'])
    for (const name of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })) {
      const path = join(root, folder, name);
      const stats = lstatSync(path);
      const mode = stats.mode & 0o7777;
      if (stats.isFile()) tree.set(`/${folder}/${name}`, { content: readFileSync(path, 'latin1'), mode });
      if (stats.isSymbolicLink()) tree.set(`/${folder}/${name}`, { content: `→ ${readlinkSync(path)}`, mode });
    }
  return tree;
}

export function expectEnding({ ends }: Pick<Fault, 'ends'>, { result, text }: Outcome): void {
  const { error } = result;
  if (ends === 'survives') {
    expect(error, text).toBeUndefined();
    expect(result.status).toBe('succeeded');
    return;
  }
  const [code, family] = ends;
  if (!isJoinError(error)) expect.fail(`no error with a code, but ${text}`);
  expect({ code: error.code, exitCode: error.exitCode }, text).toEqual({ code, exitCode: EXIT[family] });
  expect(documented.get(code), `docs/errors.md has ${code}`).toBe(EXIT[family]);
  expect(error.hint).not.toBe('');
}

/** Every attempt ended soon after its limit had passed, at the latest. */
export function expectInTime({ events, limitsMs }: Outcome, { limitPassedAt }: Scene): void {
  const begunAt = new Map<string, number>();
  for (const { at, event } of events) {
    if (event.type === 'step.started') begunAt.set(event.step, at);
    if (event.type !== 'step.retrying' && event.type !== 'step.ended') continue;
    const limitMs = limitsMs.get(event.step) ?? 0;
    const passedAt = limitMs === LIMIT_MS ? limitPassedAt : (begunAt.get(event.step) ?? at) + limitMs;
    expect(at, `an attempt of ${event.step}`).toBeLessThan((passedAt ?? at) + LATE_MS);
    begunAt.delete(event.step);
  }
}

/** No control characters, no secrets; and the document is of its schema. */
export function expectReadable({ text, json }: Outcome, { sandbox }: Scene): void {
  for (const shown of [text, json]) {
    const found = CONTROL.exec(shown);
    if (found !== null) expect.fail(`shows ${JSON.stringify(shown.slice(Math.max(0, found.index - 60)).slice(0, 90))}`);
    expect(shown).not.toContain(sandbox.token.split('.')[1]);
    expect(shown).not.toContain('PRIVATE KEY');
  }
  expect(validResult(JSON.parse(json)), JSON.stringify(validResult.errors)).toBe(true);
}

/** Each file is as it was, or as a phase wanted it; keys were never open to others. */
export function expectWhole(scene: Scene, before: Tree, wanted: readonly Change[]): void {
  const after = treeOf(scene.root);
  for (const [path, there] of after) {
    expect(path).not.toMatch(/\.tmp$/);
    expect(path, 'kept beyond its run').not.toMatch(/^\/run\/joinery\//);
    if (there.content.includes('PRIVATE KEY')) expect(there.mode & 0o077, `${path} is open to others`).toBe(0);
    const was = before.get(path);
    if (NOT_OURS.test(path) || (was?.content === there.content && was.mode === there.mode)) continue;
    if (!wanted.some((change) => isMadeBy(change, path, there)))
      expect.fail(`${path} is neither old nor new: ${there.mode.toString(8)} ${there.content.slice(0, 80)}`);
  }
  for (const path of before.keys())
    if (!after.has(path) && !wanted.some((change) => change.kind === 'remove' && change.path === path))
      expect.fail(`${path} is gone`);
  expect(keyFiles(scene.root).filter(({ mode }) => (mode & 0o077) !== 0)).toEqual([]);
}

function isMadeBy(change: Change, path: string, { content, mode }: { content: string; mode: number }): boolean {
  if (!('path' in change) || change.path !== path) return false;
  if (change.kind === 'file') return change.content.toString('latin1') === content && change.mode === mode;
  return change.kind === 'link' && `→ ${change.target}` === content;
}

/** The kubelet runs with what was written, and the Node is as a join leaves it. */
export async function expectJoined(scene: Scene): Promise<void> {
  expect((await scene.kubelet)?.nodeName).toBe('w1'); // it has read its files, and used its identity
  expect(keyFiles(scene.root), 'files with keys, as they were written').not.toEqual([]);
  const node = scene.sandbox.store.get('nodes', 'w1');
  expect(node?.metadata.annotations?.[CRI_SOCKET]).toBe('unix:///run/containerd/containerd.sock');
  const files = [...treeOf(scene.root).keys()];
  expect(files).toEqual(
    expect.arrayContaining([paths.kubeletConf, paths.caCert, paths.kubeletConfig, paths.kubeadmFlags]),
  );
}

/** A dry run has changed nothing, here or there. */
export function expectNothingDone({ root, sandbox }: Scene, before: Tree): void {
  expect(treeOf(root)).toEqual(before);
  expect(sandbox.store.list('certificatesigningrequests')).toEqual([]);
  expect(sandbox.store.list('nodes')).toEqual([]);
}

/** A server that is not verified gets no credentials: only anonymous requests for cluster-info. */
export function expectAnonymousDiscovery({ sandbox }: Scene): void {
  const asked = sandbox.store.requests.filter(({ path }) => path.endsWith('/configmaps/cluster-info'));
  expect(asked.filter(({ user }) => user !== 'system:anonymous')).toEqual([]);
}
