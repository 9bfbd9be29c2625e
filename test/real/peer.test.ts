/**
 * The real kubeadm and `join run` join the same machine. docs/differences-from-kubeadm.md lists exactly the
 * differences.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cluster, cleanUp, type Machine, missing, projectRoot, startCluster, startMachine } from './rig.ts';
import { type Entry, walk } from './tree.ts';

const command = join(projectRoot, 'bin/join');
const reason = missing();

/** Files of the stand-in service manager, and temporary files of running kubelets. */
const PASSING = /^var\/lib\/kubelet\/(\.service|pods\/.|plugins_registry\/.)/;

const dateless = (name: string): string =>
  name.replace(/\d{4}(-\d\d){5}/g, '<DATE>').replace(/\d{8}-\d{6}-[0-9a-f]{4}/g, '<RUN>');
/** A file without the parts that differ in every join: keys, certificates, times in names. */
const essence = (text: string): string =>
  dateless(text.replace(/-----BEGIN ([A-Z ]+)-----[\s\S]*?-----END \1-----/g, '<$1>'));
const described = (entries: readonly Entry[]) =>
  new Map(
    entries
      .filter(({ path }) => !PASSING.test(path))
      .map(({ path, kind, mode, content }) => [
        dateless(`/${path}`),
        { kind, mode, text: essence(content.toString()) },
      ]),
  );

/** Lines of the form "only kubeadm /path". */
function differences(theirs: ReturnType<typeof described>, ours: ReturnType<typeof described>): string[] {
  return [...new Set([...theirs.keys(), ...ours.keys()])].sort().flatMap((path) => {
    const [their, our] = [theirs.get(path), ours.get(path)];
    if (our === undefined) return [`only kubeadm ${path}`];
    if (their === undefined) return [`only join ${path}`];
    if (their.kind !== our.kind) return [`kind ${path}`];
    return [
      ...(their.mode === our.mode ? [] : [`mode ${path}`]),
      ...(their.text === our.text ? [] : [`content ${path}`]),
    ];
  });
}

describe.skipIf(reason)(`comparison with the real kubeadm${reason ? ` (skipped: ${reason})` : ''}`, () => {
  let cluster: Cluster;
  let machine: Machine;
  const joinArgs = () => [
    ...[cluster.server, '--token', cluster.token, '--discovery-token-ca-cert-hash', cluster.caHash],
    ...['--cri-socket', machine.socket, '--ignore-preflight-errors', 'all'],
  ];
  const must = async (...argv: string[]): Promise<void> => {
    const { code, stdout, stderr } = await machine.run(argv);
    expect(code, stdout + stderr).toBe(0);
  };
  /** What a Node says of itself, without what no two Nodes have in common. */
  const node = async () => {
    const { metadata, spec, status } = JSON.parse(await cluster.kubectl(['get', 'node', 'w12', '-o', 'json']));
    const { name, labels, annotations } = metadata;
    const { conditions, addresses, nodeInfo } = status;
    return {
      name,
      labels,
      annotations,
      taints: spec.taints,
      addresses,
      conditions: conditions.map(({ type, status: is, reason: why }: Record<string, string>) => [type, is, why]),
      kubelet: nodeInfo.kubeletVersion,
    };
  };
  async function leftBy(...joining: string[]) {
    await must(...joining, ...joinArgs());
    const ready = '{.status.conditions[?(@.type=="Ready")].status}';
    for (const from = Date.now(); Date.now() < from + 60_000; await sleep(200))
      if ((await cluster.kubectl(['get', 'node', 'w12', '-o', `jsonpath=${ready}`])) === 'True') break;
    await sleep(1_000);
    const left = { files: described(walk(machine.path('/'))), node: await node() };
    await must(command, 'reset', '--yes', '--cri-socket', machine.socket);
    await cluster.kubectl(['delete', 'node', 'w12']);
    return left;
  }

  let theirs: Awaited<ReturnType<typeof leftBy>>;
  let ours: Awaited<ReturnType<typeof leftBy>>;
  beforeAll(async () => {
    cluster = await startCluster();
    machine = await startMachine('w12');
    theirs = await leftBy('kubeadm', 'join');
    ours = await leftBy(command, 'run');
  });
  afterAll(cleanUp);

  test('all files, modes and contents are the same, except for the documented differences', () => {
    const text = readFileSync(join(projectRoot, 'docs/differences-from-kubeadm.md'), 'utf8');
    const documented = [...text.matchAll(/^\| `(only join|only kubeadm|mode|content|kind) (\/[^`]*)` \| .{10,} \|$/gm)];
    const found = differences(theirs.files, ours.files);
    for (const line of found.filter((each) => each.startsWith('content ')))
      console.log(line, theirs.files.get(line.slice(8))?.text, ours.files.get(line.slice(8))?.text);
    expect(found.sort()).toEqual(documented.map(([, what, path]) => `${what} ${path}`).sort());
  });

  test('the Node is the same as with kubeadm', () => {
    expect(ours.node).toEqual(theirs.node);
  });
});
