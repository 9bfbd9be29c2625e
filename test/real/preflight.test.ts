/**
 * The checks of `join phase preflight` compared with the real `kubeadm join phase preflight` on the same machine, and
 * in a join.
 */
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { CheckResult } from '../../engine/sdk/index.ts';
import { type Cluster, cleanUp, type Machine, missing, projectRoot, startCluster, startMachine } from './rig.ts';
import { digest, walk } from './tree.ts';

const command = join(projectRoot, 'bin/join');
const reason = missing();

/** Check → its worst result. */
type Found = Record<string, 'error' | 'warning'>;
const sorted = (found: Found): Found =>
  Object.fromEntries(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1))) as Found;

describe.skipIf(reason)(`preflight on a real machine${reason ? ` (skipped: ${reason})` : ''}`, () => {
  let cluster: Cluster;
  let machine: Machine;
  let tools: string;
  let path: string;
  /** What keeps every machine of this host from joining, with the rig's own containerd. */
  let ofThisHost: string[];

  beforeAll(async () => {
    cluster = await startCluster();
    machine = await startMachine('w8');
    tools = machine.path('../w8-tools');
    mkdirSync(tools);
    // kubeadm queries the runtime through crictl, which is not installed here. A stand-in prints the runtime's answer.
    lay('crictl', ['#!/bin/sh', 'exec ctr -a "$(echo "$2" | sed s,unix://,,)" version >/dev/null', ''].join('\n'));
    path = (await machine.run(['printenv', 'PATH'])).stdout.trim();
  });
  afterAll(cleanUp);

  function lay(name: string, script: string): void {
    writeFileSync(join(tools, name), script);
    chmodSync(join(tools, name), 0o755);
  }

  const joining = (socket: string) => [
    ...[cluster.server, '--token', cluster.token, '--discovery-token-ca-cert-hash', cluster.caHash],
    ...['--cri-socket', socket],
  ];

  interface Places {
    socket?: string;
    flags?: string[];
    searched?: string;
  }
  const run = (argv: string[], { socket = machine.socket, flags = [], searched = path }: Places) =>
    machine.run([...argv, ...joining(socket), ...flags], { env: { PATH: [tools, searched].join(delimiter) } });

  async function kubeadm(places: Places): Promise<{ code: number; found: Found }> {
    const { code, stdout, stderr } = await run(['kubeadm', 'join', 'phase', 'preflight'], places);
    const lines = [...`${stdout}${stderr}`.matchAll(/\[(WARNING|ERROR) ([^\]]+)\]/g)];
    const kinds = lines.map(([, kind = '', name = '']) => [name, kind.toLowerCase()]);
    return { code, found: sorted(Object.fromEntries(kinds.reverse())) };
  }

  async function joinery(places: Places): Promise<{ code: number; checks: CheckResult[]; found: Found }> {
    const { socket = machine.socket, flags = [], searched = path } = places;
    const argv = [command, 'phase', 'preflight', '--endpoint', cluster.server, '--cri-socket', socket, ...flags];
    const { code, stdout } = await machine.run([...argv, '--output', 'json'], {
      env: { PATH: [tools, searched].join(delimiter) },
    });
    const { steps, error } = JSON.parse(stdout);
    const checks: CheckResult[] = error?.facts.checks ?? steps[0].outputs.checks;
    const found: Found = {};
    for (const { check, result } of checks)
      if (result !== 'ok' && found[check] !== 'error') found[check] = result === 'error' ? 'error' : 'warning';
    return { code, checks, found: sorted(found) };
  }

  test('reports the same checks and severities as kubeadm on a fresh machine', async () => {
    const [theirs, ours] = [await kubeadm({}), await joinery({})];
    expect(ours.found).toEqual(theirs.found);
    expect(ours.checks.filter(({ check }) => check === 'CRI')).toEqual([
      {
        check: 'CRI',
        result: 'ok',
        hint: '',
        evidence: expect.stringMatching(/^containerd v?\d\S* answers at \/\S+ \(CRI v1(alpha2)?\)$/),
      },
    ]);
    expect(ours.checks.filter(({ check }) => check === 'KubeletVersion')).toMatchObject([
      { result: 'ok', evidence: 'the kubelet has version v1.20.2' },
    ]);
    ofThisHost = Object.keys(theirs.found).filter((name) => theirs.found[name] === 'error');
    expect([ours.code === 0, theirs.code === 0]).toEqual(Array(2).fill(ofThisHost.length === 0));
  });

  test('reports the same as kubeadm on a used machine', async () => {
    const left = ['kubelet.conf', 'bootstrap-kubelet.conf', 'pki/ca.crt', 'manifests/mine.yaml'].map((name) =>
      machine.path(`/etc/kubernetes/${name}`),
    );
    for (const file of left) {
      mkdirSync(join(file, '..'), { recursive: true });
      writeFileSync(file, 'x');
    }
    const server = createServer().listen(10_250);
    onTestFinished(() => {
      for (const file of left) rmSync(file);
      server.close();
    });
    const [theirs, ours] = [await kubeadm({}), await joinery({})];
    expect(ours.found).toEqual(theirs.found);
    expect(Object.keys(ours.found)).toEqual(
      expect.arrayContaining([
        'DirAvailable--etc-kubernetes-manifests',
        'FileAvailable--etc-kubernetes-bootstrap-kubelet.conf',
        'FileAvailable--etc-kubernetes-kubelet.conf',
        'FileAvailable--etc-kubernetes-pki-ca.crt',
        'Port-10250',
      ]),
    );
  });

  test('reports the same as kubeadm without a runtime and without programs', async () => {
    const searched = machine.path('../w8-path');
    mkdirSync(searched);
    const left = path.split(delimiter).filter((folder) => existsSync(folder));
    const without = ['conntrack', 'socat', 'ethtool', 'ip'];
    const programs = new Map(left.reverse().flatMap((folder) => readdirSync(folder).map((name) => [name, folder])));
    for (const [name, folder] of programs)
      if (!without.includes(name)) symlinkSync(join(folder, name), join(searched, name));
    const places = { searched, socket: '/run/absent.sock' };
    const [theirs, ours] = [await kubeadm(places), await joinery(places)];
    expect(ours.found).toEqual(theirs.found);
    expect(ours.found).toMatchObject({
      CRI: 'error',
      'FileExisting-conntrack': 'error',
      'FileExisting-ip': 'error',
      'FileExisting-socat': 'warning',
      'FileExisting-ethtool': 'warning',
    });
  });

  test('ignores the same checks as kubeadm, by names in any case and by all', async () => {
    const names = ofThisHost.map((name) => name.toUpperCase()).join(',') || 'Swap';
    for (const ignored of [`${names},Nonsense`, 'all']) {
      const places = { flags: ['--ignore-preflight-errors', ignored] };
      const [theirs, ours] = [await kubeadm(places), await joinery(places)];
      expect([ours.code, ours.found]).toEqual([theirs.code, theirs.found]);
      expect(ours.code).toBe(0);
    }
  });

  test('a join runs every check, and ignores only what depends on this host', async () => {
    const flags = ['--output', 'json', '--wait', 'ready'];
    if (ofThisHost.length > 0) flags.push('--ignore-preflight-errors', ofThisHost.join(','));
    const { code, stdout, stderr } = await run([command, 'run'], { flags });
    expect(code, stderr).toBe(0);
    const { steps } = JSON.parse(stdout);
    expect(steps.map(({ id, status }: { id: string; status: string }) => [id, status])).toEqual(
      expect.arrayContaining([
        ['preflight', 'succeeded'],
        ['cluster-config', 'succeeded'],
        ['preflight-cluster', 'succeeded'],
      ]),
    );
  });

  test('kubeadm and join refuse a machine with the name of another Ready Node; join leaves no file', async () => {
    await machine.stopKubelet(); // the Node stays Ready for a while
    const other = await startMachine('w9');
    const before = {
      files: digest(walk(other.path('/etc'))),
      csrs: await cluster.kubectl(['get', 'csr', '-o', 'name']),
    };
    const flags = [...joining(other.socket), '--node-name', 'w8', '--ignore-preflight-errors', 'all'];
    const env = { PATH: [tools, path].join(delimiter) };
    const ours = await other.run([command, 'run', ...flags], { env });
    expect([ours.code, ours.stderr]).toEqual([
      5,
      expect.stringContaining('E_NODE_EXISTS in step preflight-cluster: the cluster already has a Ready node named w8'),
    ]);
    expect({
      files: digest(walk(other.path('/etc'))),
      csrs: await cluster.kubectl(['get', 'csr', '-o', 'name']),
    }).toEqual(before);
    const theirs = await other.run(['kubeadm', 'join', ...flags], { env });
    expect([theirs.code, theirs.stderr]).toEqual([
      1,
      expect.stringContaining('"w8" and status "Ready" already exists'),
    ]);
  });
});
