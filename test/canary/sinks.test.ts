/**
 * Whole runs of the built command, in every state of a run: no output or file shows the token, a key or the certificate
 * key. The same holds for a phase that leaks them on purpose. If the code that keeps secrets is removed from the
 * command, each of these tests must find them.
 */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { obstruct, project } from '../bin/cli.ts';
import { builtCommand } from './built.ts';
import { type Sink, Stage, sinks } from './stage.ts';

const LEAKY = join(project, 'test/canary/leaky.yaml');
const HAS_SCRIPT = existsSync('/usr/bin/script');

interface Play {
  stage: Stage;
  /** Exit codes: a play that fails early would find nothing either. */
  codes: (number | null)[];
  /** Files in temporary folders and in the home of the user. */
  strewn: string[];
}

/** Dry runs, a join with values from files, a second join, the list of runs, and an undo. */
async function joined(): Promise<Play> {
  const stage = await Stage.open();
  const { args, root } = stage.scene;
  await mkdir(join(root, 'etc/kubernetes'));
  await writeFile(join(root, 'etc/kubernetes/kubelet.conf'), 'an old one\n', { mode: 0o640 });
  const token = await stage.secretFile('token', stage.scene.sandbox.token);
  const withTokenFile = (...words: string[]) =>
    args(...words).map((word) => (word === stage.scene.sandbox.token ? token : word));
  const codes: Play['codes'] = [];
  const play = async (...words: string[]) => void codes.push((await stage.join(...words)).code);
  const anyway = ['--ignore-preflight-errors', 'all'];
  await play(...args('run', ...anyway, '--dry-run'));
  await play(...args('run', ...anyway, '--dry-run', '--output', 'json'));
  await play(...withTokenFile('run', ...anyway, '--output', 'json'));
  await stage.finished();
  await play(...args('run', ...anyway));
  await play('runs', 'show', '--root', root);
  await play('runs', 'show', '--root', root, '--output', 'json');
  await play('undo', '--root', root);
  await play('undo', '--yes', '--root', root, '--output', 'json');
  await stage.finished();
  return { stage, strewn: await stage.strewn(), codes };
}

/** A join that fails halfway, and is then shown and resumed. */
async function kept(): Promise<Play> {
  const stage = await Stage.open();
  const { args, root } = stage.scene;
  const clear = await obstruct(root);
  const failed = await stage.join(...args('run', '--output', 'json'));
  whileKept = await stage.modesBelow('run/joinery', 'var/lib/joinery');
  const shown = await stage.join('runs', 'show', '--root', root);
  await clear();
  const resumed = await stage.join('resume', '--root', root, '--output', 'json');
  await stage.finished();
  const undone = await stage.join('undo', '--yes', '--root', root);
  await stage.finished();
  return { stage, strewn: await stage.strewn(), codes: [failed, shown, resumed, undone].map(({ code }) => code) };
}

/** A join that Ctrl-C stops while it waits, and a join on a terminal that finishes. */
async function stopped(): Promise<Play> {
  const stage = await Stage.open();
  const { args, sandbox } = stage.scene;
  sandbox.autoApprove = false;
  if (HAS_SCRIPT)
    await stage.onTerminal(args('run'), async (type) => {
      await stage.requested();
      type('\x03');
    });
  const { child, outcome } = stage.start(args('run'));
  await stage.requested();
  child.kill('SIGTERM');
  const codes = [(await outcome).code];
  await stage.finished();
  for (const csr of sandbox.store.list('certificatesigningrequests'))
    sandbox.store.delete('certificatesigningrequests', csr.metadata.name);
  codes.push((await stage.titleWhileWaiting(args('run'))).code);
  if (HAS_SCRIPT) await stage.onTerminal(args('run', '--wait', 'ready'), async () => undefined);
  await stage.finished();
  return { stage, strewn: await stage.strewn(), codes };
}

/** Single phases, wrong secrets, and secrets in the wrong place. */
async function byPhase(): Promise<Play> {
  const stage = await Stage.open();
  const { args, root, sandbox } = stage.scene;
  const codes: Play['codes'] = [];
  const play = async (...words: string[]) => {
    const { code, stdout } = await stage.join(...words);
    codes.push(code);
    return stdout;
  };
  const token = await stage.secretFile('token', sandbox.token);
  const ca = await stage.secretFile('ca', sandbox.caPem);
  await play(...args('phase', 'discovery', '--dry-run', '--output', 'json'));
  await play(...args('phase', 'discovery'));
  const cluster = ['--server', `https://${sandbox.endpoint}`, '--ca', ca, '--root', root];
  await play('phase', 'tls-bootstrap', ...cluster, '--token', token, '--output', 'json');
  await play('phase', 'cluster-config', ...cluster, '--token', token, '--output', 'json');
  const wrong = (secret: string) => args('run').map((word) => (word === sandbox.token ? secret : word));
  await play(...wrong(`${sandbox.token.slice(0, 7)}${'z'.repeat(16)}`));
  await play(...wrong(sandbox.token.toUpperCase()), '--output', 'json');
  await play(...args('run', sandbox.token));
  await play('resume', sandbox.token, '--output', 'json');
  await play(sandbox.token);
  await stage.finished();
  return { stage, strewn: await stage.strewn(), codes };
}

/** A phase that leaks: in a dry run, in a run that fails, and in a run that succeeds. */
async function leaking(launcher: string): Promise<Play> {
  const stage = await Stage.open(launcher);
  const { args, root, sandbox } = stage.scene;
  const leakyArgs = (...words: string[]) => [
    ...args(...words),
    '--pipeline',
    LEAKY,
    '--certificate-key',
    stage.certificateKey,
  ];
  const codes: Play['codes'] = [];
  const play = async (...words: string[]) => void codes.push((await stage.join(...words)).code);
  await play(...leakyArgs('run', '--ends', 'well', '--dry-run'));
  await play(...leakyArgs('run', '--ends', 'badly', '--output', 'json'));
  await play('runs', 'show', '--root', root);
  await play('undo', '--yes', '--root', root);
  codes.push((await stage.titleWhileWaiting(leakyArgs('run', '--ends', 'well', '--output', 'json'))).code);
  if (HAS_SCRIPT) await stage.onTerminal(leakyArgs('run', '--ends', 'well'), async () => undefined);
  // The before-image of this file contains a secret, because the phase had written it.
  await writeFile(join(root, 'etc/leaky'), sandbox.token, { mode: 0o600 });
  await play(...leakyArgs('run', '--ends', 'well'));
  await play(...args('run', sandbox.token));
  await stage.finished();
  return { stage, strewn: await stage.strewn(), codes };
}

let folder: string;
/** The files that remain of a failed run, with their modes. */
let whileKept: Record<string, string> = {};
let shipped: Play[];
let leaky: Play;
let open: Play;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'join-canary-'));
  const [leakyCommand, openCommand] = await Promise.all([
    builtCommand(join(folder, 'leaky'), false),
    builtCommand(join(folder, 'open'), true),
  ]);
  [leaky, open, ...shipped] = await Promise.all([
    leaking(leakyCommand),
    leaking(openCommand),
    ...[joined(), kept(), stopped(), byPhase()],
  ]);
}, 120_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

const textsOf = (plays: Play[], sink: Sink): string =>
  plays.flatMap(({ stage }) => stage.texts.flatMap((item) => (item.sink === sink ? item.text : []))).join('\n');
const leaksOf = (plays: Play[], sink: Sink): string[] => plays.flatMap(({ stage }) => stage.leaks(sink));

test('every run ends with the expected exit code', () => {
  expect(shipped.map(({ codes }) => codes)).toEqual([
    [0, 0, 0, 0, 0, 0, 2, 0],
    [6, 0, 0, 0],
    [143, 0],
    [0, 0, 0, 0, 12, 2, 2, 2, 2],
  ]);
  expect(leaky.codes).toEqual([0, 1, 0, 0, 0, 0, 2]);
  expect(open.codes).toEqual(leaky.codes);
  for (const { stage } of [...shipped, leaky, open])
    expect(new Set(stage.canaries().map(({ name }) => name))).toEqual(new Set(['token', 'certificate key', 'key']));
});

test('no run leaves a file in temporary folders or in the home directory', () => {
  expect(shipped.flatMap(({ strewn }) => strewn)).toEqual([]);
});

test('only the owner can read the secrets that a failed run keeps for its resume', () => {
  const names = Object.keys(whileKept).map((path) => path.replace(/\d{8}-\d{6}-[0-9a-f]{4}/, 'ID'));
  expect(names).toEqual(
    expect.arrayContaining(['run/joinery/ID/input.token', 'run/joinery/ID/once.tls-bootstrap.client-key']),
  );
  expect(new Set(Object.values(whileKept))).toEqual(new Set(['0600', '0700']));
});

describe.each(sinks.filter((sink) => sink !== 'a terminal' || HAS_SCRIPT))('%s', (sink) => {
  test(`no secret appears in: ${sink}`, () => {
    expect(textsOf(shipped, sink)).not.toBe('');
    expect(leaksOf(shipped, sink)).toEqual([]);
  });

  // A before-image has the whole content of the old file, including secrets.
  test.skipIf(sink === 'before-images')(`no secret that a phase leaks appears in: ${sink}`, () => {
    expect(textsOf([leaky], sink)).not.toBe('');
    expect(leaksOf([leaky], sink)).toEqual([]);
  });

  test(`without the code that keeps secrets, a secret appears in: ${sink}`, () => {
    expect(leaksOf([open], sink)).toContainEqual(expect.stringContaining(': token, '));
  });
});
