/** The real kubeadm and Joinery accept and refuse the same configurations and lines, except the listed differences. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { loadJoinConfiguration } from '../../engine/kubeadm/index.ts';
import { launch } from './command.ts';
import { missingPrograms, projectRoot, unpackedPrograms } from './rig.ts';

const reason = missingPrograms();
const RUNS = 300;
/** Started at the same time. */
const TOGETHER = 4;

/** Why a difference is meant. Each pattern is that of a configuration that only one of the two accepts. */
const DIFFERENCES: [name: string, pattern: RegExp][] = [
  // A server without a port, or with one that no server can have, cannot be reached.
  ['an address without a server', /apiServerEndpoint: "?(10\.0\.0\.1|10\.0\.0\.1:(0|65536|port)|:6443)"?$/m],
  // kubeadm writes the CA to it, and nothing would find it.
  ['a CA in a file of another kind', /caCertPath: "?(\/etc\/ca\.pem|ca\.crt)/m],
  ['a taint without a known effect', /effect: "?(Sometimes|""|noschedule)/m],
  ['a time limit of nothing', /timeout: "?0s/m],
  // kubeadm only warns; so does Joinery with --lenient.
  ['an unknown or duplicate field', /^nope: 1|caCertPath: \/a\.crt\ncaCertPath: /m],
  // `kubeadm join` refuses these two, and `kubeadm config migrate` does not look.
  ['a pin of another kind', /"md5:00"|"sha256:0"/],
  ['all checks and one of them', /\[all, Swap\]/],
];

const token = fc.constantFrom('abcdef.0123456789abcdef', 'abcdef.0123', 'ABCDEF.0123456789abcdef', '""');
const good = <T>(first: T, ...others: T[]) =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(first) }, fc.constantFrom(...others));
const line = (key: string, values: fc.Arbitrary<string>) =>
  fc.option(
    values.map((value) => `${key}: ${value}`),
    { freq: 2 },
  );

const configuration = fc
  .record({
    token: fc.oneof({ weight: 5, arbitrary: fc.constant('abcdef.0123456789abcdef') }, token),
    endpoint: good(
      '10.0.0.1:6443',
      'api.example:6443',
      'cp_1.example:6443',
      '"[::1]:6443"',
      '10.0.0.1',
      '10.0.0.1:0',
      '":6443"',
      '10.0.0.1:65536',
    ),
    pin: good(`["sha256:${'0a'.repeat(32)}"]`, `["SHA256:${'0a'.repeat(32)}"]`, '["md5:00"]', '["sha256:0"]', '[]'),
    unsafe: line('    unsafeSkipCAVerification', fc.constantFrom('true', 'yes', 'on', 'False', 'off', '"true"', '1')),
    timeout: line('  timeout', fc.constantFrom('5m0s', '.5h', '1h1us', '0s', '5', 'x')),
    name: line('  name', fc.constantFrom('w1', 'Worker-1', '" w1 "', 'my_host', 'a..b', 'w1-', '1', '"1"', 'yes')),
    socket: line('  criSocket', fc.constantFrom('/run/x.sock', 'unix:///run/x.sock', 'tcp://x', 'containerd')),
    taints: line(
      '  taints',
      fc.constantFrom(
        '[]',
        'null',
        '[{ key: a, effect: NoSchedule }]',
        '[{ key: a, value: "yes", effect: NoExecute }]',
        '[{ key: a, value: yes, effect: NoExecute }]',
        '[{ key: a, effect: NoExecute, timeAdded: null }]',
        '[{ key: a, effect: Sometimes }]',
      ),
    ),
    extra: line(
      '  kubeletExtraArgs',
      fc.constantFrom(
        '{}',
        '{ v: "4" }',
        '{ v: 4 }',
        '{ v: on }',
        '{ a: 0777 }',
        '{ a: 1:30 }',
        '{ a: "x y" }',
        '{ a: &x "1", b: *x }',
        '{ <<: { a: "1" }, b: "2" }',
      ),
    ),
    ignore: line(
      '  ignorePreflightErrors',
      fc.constantFrom('[all]', '[all, All]', '[Swap, swap]', '[all, Swap]', 'Swap', '[]'),
    ),
    ca: line('caCertPath', fc.constantFrom('/etc/x.crt', '/etc/ca.pem', 'ca.crt')),
    unknown: fc.option(
      fc.constantFrom('nope: 1', 'caCertPath: /a.crt\ncaCertPath: /b.crt', 'controlPlane:', '---', '--- # end'),
      { freq: 6 },
    ),
  })
  .map((o) => {
    const some = (...lines: (string | null)[]) =>
      lines
        .filter((each) => each !== null)
        .map((each) => `${each}\n`)
        .join('');
    const node = some(o.name, o.socket, o.taints, o.extra, o.ignore);
    return (
      `apiVersion: kubeadm.k8s.io/v1beta2\nkind: JoinConfiguration\ndiscovery:\n  bootstrapToken:\n` +
      `    token: ${o.token}\n    apiServerEndpoint: ${o.endpoint}\n` +
      `    caCertHashes: ${o.pin}\n${some(o.unsafe, o.timeout)}` +
      `${node === '' ? '' : `nodeRegistration:\n${node}`}${some(o.ca, o.unknown)}`
    );
  });

const LINES = 60;
const words = (...values: string[]) =>
  fc.option(
    fc.constantFrom(...values).map((value) => value.split(' ')),
    { freq: 1 },
  );
/** Flags that no listed difference concerns. */
const flags = fc
  .tuple(
    words('--node-name w1', '--node-name Worker-1', '--node-name=my_host', '--node-name a..b'),
    words('--skip-headers', '--add-dir-header=true', '--one-output', '--vmodule a=1', '--log-file-max-size 1'),
    words(
      '--apiserver-bind-port 1',
      '--certificate-key x',
      '--control-plane=false',
      '--nope',
      '--apiserver-bind-port=1',
    ),
    words('--ignore-preflight-errors all,All', '--ignore-preflight-errors all,Swap', '--ignore-preflight-errors=Swap'),
    words('--token abcdef.0123456789abcdef', '--token abcdef', '--discovery-token abcdef.0123456789abcdef', '--v=4'),
    words('--discovery-token-unsafe-skip-ca-verification', '--discovery-token-unsafe-skip-ca-verification=maybe'),
  )
  .map((all) => ['127.0.0.1:1', '--token', 'abcdef.0123456789abcdef', ...all.flatMap((each) => each ?? [])]);
const NO_PHASES = '--skip-phases=preflight,control-plane-prepare,check-etcd,kubelet-start,control-plane-join';

describe.skipIf(reason)(`what kubeadm accepts${reason ? ` (skipped: ${reason})` : ''}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'accepted-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  test('300 configurations are accepted or refused as kubeadm does, except the listed differences', async () => {
    const kubeadm = join(await unpackedPrograms(), 'kubeadm');
    const texts = [...new Set(fc.sample(configuration, { numRuns: RUNS, seed: 1 }))];
    const wrong: string[] = [];
    const seen = new Set<string>();
    const compare = async (text: string, index: number) => {
      const file = join(folder, `${index}.yaml`);
      writeFileSync(file, text);
      const theirs = await launch([kubeadm, 'config', 'migrate', '--old-config', file]).done;
      let ours = 'ok';
      try {
        loadJoinConfiguration('c.yaml', text);
      } catch (error) {
        ours = (error as Error).message;
      }
      if ((theirs.code === 0) === (ours === 'ok')) return;
      const listed = DIFFERENCES.filter(([, pattern]) => theirs.code === 0 && pattern.test(text));
      for (const [name] of listed) seen.add(name);
      if (listed.length === 0)
        wrong.push(`${text}kubeadm: ${theirs.code === 0 ? 'ok' : theirs.stderr.slice(0, 300)}\njoin: ${ours}`);
    };
    for (let at = 0; at < texts.length; at += TOGETHER)
      await Promise.all(texts.slice(at, at + TOGETHER).map((text, index) => compare(text, at + index)));
    expect(texts.length).toBeGreaterThan(250);
    expect(wrong, wrong.slice(0, 5).join('\n\n')).toEqual([]);
    expect([...seen].sort()).toEqual(DIFFERENCES.map(([name]) => name).sort()); // the list is exact
  });

  test('60 generated lines are accepted or refused as kubeadm does', async () => {
    const kubeadm = join(await unpackedPrograms(), 'kubeadm');
    const lines = fc.sample(flags, { numRuns: LINES, seed: 2 });
    const quick = ['--root', folder, '--dry-run', '--discovery-timeout', '1ms'];
    const wrong: string[] = [];
    const compare = async (line: string[]) => {
      const [theirs, ours] = await Promise.all([
        launch([kubeadm, 'join', ...line, NO_PHASES]).done,
        launch([join(projectRoot, 'bin/join'), 'run', ...line, ...quick]).done,
      ]);
      // Without a cluster, a line that Joinery accepts fails too, but not with the exit code for usage.
      if ((theirs.code === 0) !== (ours.code !== 2))
        wrong.push(`${line.join(' ')}\nkubeadm: ${theirs.code} ${theirs.stderr}\njoin: ${ours.code} ${ours.stderr}`);
    };
    for (let at = 0; at < lines.length; at += TOGETHER) await Promise.all(lines.slice(at, at + TOGETHER).map(compare));
    expect(wrong, wrong.slice(0, 5).join('\n\n')).toEqual([]);
  });
});
