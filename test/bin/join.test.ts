import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isReady, type NodeObject } from '../../engine/node/index.ts';
import {
  generateKeyPem,
  issueCertificate,
  publicKeyDer,
  readCertificates,
  signDetached,
} from '../../engine/pki/index.ts';
import type { CheckResult } from '../../engine/sdk/index.ts';
import type { Sandbox } from '../../plugins/sandbox/index.ts';
import type { KubeObject } from '../../plugins/sandbox/objects.ts';
import { cli, modesOf, project, scene, start } from './cli.ts';
import { documentOf } from './documents.ts';

const DAY_MS = 86_400_000;
const CSR_PATH = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
const sentWithCredentials = (sandbox: Sandbox) =>
  sandbox.store.requests.filter(({ user }) => user !== 'system:anonymous' && user !== '');

describe('join run', () => {
  test('joins: dry run, run, and a second run that finds nothing to change', async () => {
    const { sandbox, args, tree, root } = await scene();
    const before = await tree();

    const planned = await cli(args('run', '--output', 'json', '--dry-run'));
    expect(planned.code, planned.stderr).toBe(0);
    const plan = documentOf('RunResult', planned.stdout);
    expect(await tree()).toEqual(before);
    expect(sandbox.store.list('certificatesigningrequests')).toEqual([]);
    expect(sandbox.store.list('nodes').map(({ metadata }) => metadata.name)).not.toContain('w1');

    const done = await cli(args('run', '--output', 'json', '--wait', 'ready'));
    expect(done.code, done.stderr).toBe(0);
    const result = documentOf('RunResult', done.stdout);
    const node = sandbox.store.get<NodeObject & KubeObject>('nodes', 'w1');
    expect(isReady(node)).toBe(true);
    expect(node?.metadata.annotations).toMatchObject({
      'kubeadm.alpha.kubernetes.io/cri-socket': 'unix:///run/containerd/containerd.sock',
    });
    const after = await tree();
    const pem = Object.keys(after).find((path) => /kubelet-client-[\d-]+\.pem$/.test(path)) ?? '';
    expect(modesOf(Object.fromEntries(Object.entries(after).filter(([path]) => before[path] === undefined)))).toEqual({
      '/etc/kubernetes/kubelet.conf': '0600',
      '/etc/kubernetes/pki/ca.crt': '0644',
      '/var/lib/kubelet/config.yaml': '0644',
      '/var/lib/kubelet/kubeadm-flags.env': '0644',
      [pem]: '0600',
      '/var/lib/kubelet/pki/kubelet-client-current.pem': 'link',
    });
    // The plan said what the run did: the same changes in the same order, but for names that the key and the clock make.
    const changesOf = (document: { steps: { changes: object[] }[] }) =>
      JSON.parse(
        JSON.stringify(document.steps.flatMap(({ changes }) => changes))
          .replace(/node-csr-[\w-]+/g, 'node-csr-X')
          .replace(/kubelet-client-[\d-]+/g, 'kubelet-client-X')
          .replace(/"checked":"(sent|dry-run|not-checked)"(,"why":"[^"]*")?/g, '"checked":"-"'),
      );
    expect(changesOf(plan)).toEqual(changesOf(result));

    const again = await cli(args('run', '--output', 'json'));
    expect(again.code, again.stderr).toBe(0);
    expect(
      documentOf('RunResult', again.stdout).steps.flatMap(({ changes }: { changes: object[] }) => changes),
    ).toEqual([]);
    expect(await tree()).toEqual(after);
    expect(sandbox.store.list('certificatesigningrequests')).toHaveLength(1);

    const secret = sandbox.token.split('.')[1] ?? '';
    const key = /PRIVATE KEY-----\n(.+)\n/.exec(await readFile(join(root, pem), 'utf8'))?.[1] ?? '';
    for (const { stdout, stderr } of [planned, done, again])
      for (const hidden of [secret, key]) expect(stdout + stderr).not.toContain(hidden);
    for (const path of Object.keys(after)) {
      if (after[path]?.startsWith('→') === true) continue;
      expect(await readFile(join(root, path), 'utf8'), path).not.toContain(secret);
    }
  });

  test('takes the cluster from a file, also by its phase alone; a relative name begins at the root of the machine', async () => {
    const { sandbox, root, tree } = await scene();
    const info = sandbox.store.get<KubeObject & { data?: { kubeconfig?: string } }>(
      ...(['configmaps', 'cluster-info', 'kube-public'] as const),
    );
    await writeFile(join(root, 'made-cluster.conf'), info?.data?.kubeconfig ?? '');
    const given = ['--discovery-file', 'made-cluster.conf', '--tls-bootstrap-token', sandbox.token, '--root', root];
    for (const words of [['phase', 'discovery-file'], ['run']]) {
      const { code, stderr } = await cli([...words, ...given]);
      expect(code, stderr).toBe(0);
    }
    expect(Object.keys(await tree())).toContain('/etc/kubernetes/kubelet.conf');
  });

  test('waits for a human where approval is not automatic, and says what to type', async () => {
    const { sandbox, args } = await scene({ autoApprove: false });
    const { outcome } = start(args('run'));
    const csr = await waitFor(() => sandbox.store.list('certificatesigningrequests')[0]);
    sandbox.autoApprove = true; // a human has come
    const { code, stderr } = await outcome;
    expect(code, stderr).toBe(0);
    expect(stderr).toContain(
      `! ${csr.metadata.name} waits for a human, who types:\n    kubectl get csr\n    kubectl certificate approve ${csr.metadata.name}\n`,
    );
  });

  test('stopped by SIGINT ends at once, cleanly, with 130 and nothing on disk', async () => {
    const { sandbox, args, tree } = await scene({ autoApprove: false });
    const before = await tree();
    const { child, outcome } = start(args('run', '--output', 'json'));
    await waitFor(() => sandbox.store.list('certificatesigningrequests')[0]);
    const at = Date.now();
    child.kill('SIGINT');
    const { code, stdout, stderr } = await outcome;
    expect(code).toBe(130);
    expect(Date.now() - at).toBeLessThan(2_000);
    expect(stderr).toContain('E_CANCELLED: stopped by SIGINT');
    expect(documentOf('RunResult', stdout)).toMatchObject({
      status: 'cancelled',
      steps: [...Array(6).fill({ status: 'undone' }), ...Array(6).fill({ status: 'skipped' })],
    });
    expect(await tree()).toEqual(before);
  });

  test('survives a watch that ends, one that is refused as too old, and a server that is overloaded for a moment', async () => {
    const { sandbox, args } = await scene({ autoApprove: false });
    sandbox.faults.add({ effect: 'watchEnds', path: CSR_PATH });
    sandbox.faults.add({ effect: 'watchExpired', path: CSR_PATH });
    sandbox.faults.add({ effect: 'unavailable', path: '/api/v1/namespaces/kube-public', times: 2 });
    const { outcome } = start(args('run'));
    await waitFor(
      () => sandbox.store.requests.filter(({ path }) => path.includes('watch=true')).length > 2 || undefined,
    );
    sandbox.autoApprove = true;
    const { code, stderr } = await outcome;
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('discovery: attempt 1 failed:');
  });

  test('shows why the kubelet died, at once', async () => {
    const { sandbox, args } = await scene();
    breakKubelet(sandbox);
    const { code, stderr } = await cli(args('run'));
    expect(code).toBe(6);
    expect(stderr).toMatch(
      /E_SERVICE_FAILED in step kubelet-start: the kubelet exits right after it starts \(last log line: F\d{4} .*failed to run Kubelet/,
    );
  });

  test('--on-failure undo takes back what a failed run did, directories included', async () => {
    const { sandbox, args, tree, root } = await scene();
    breakKubelet(sandbox);
    await mkdir(join(root, 'etc/kubernetes'));
    await writeFile(join(root, 'etc/kubernetes/kubelet.conf'), 'of somebody else', { mode: 0o640 });
    const before = await tree();
    const { code, stdout, stderr } = await cli(
      args('run', '--on-failure', 'undo', '--ignore-preflight-errors', 'all', '--output', 'json'),
    );
    expect(code, stderr).toBe(6);
    expect(documentOf('RunResult', stdout)).toMatchObject({ status: 'failed', error: { code: 'E_SERVICE_FAILED' } });
    expect(documentOf('RunResult', stdout).steps.map(({ status }: { status: string }) => status)).toEqual([
      ...Array(9).fill('undone'),
      ...Array(3).fill('skipped'),
    ]);
    expect(await tree()).toEqual(before);
    expect(await readdir(join(root, 'etc/kubernetes'))).toEqual(['kubelet.conf']);
    expect(existsSync(join(root, 'var/lib/kubelet'))).toBe(false);
  });
});

/** What the trust of a join stands on: each attack ends with its own code, quickly, and leaves nothing. */
describe('join run refuses', () => {
  interface Attack {
    title: string;
    code: string;
    exitCode: number;
    says: string;
    args?: (sandbox: Sandbox) => string[];
    prepare?: (sandbox: Sandbox) => void;
    env?: Record<string, string>;
  }
  const instead = (flag: string, value: string) => () => [flag, value];
  const zeroPin = `sha256:${'0'.repeat(64)}`;
  const attacks: Attack[] = [
    {
      title: 'a CA whose key is not pinned',
      code: 'E_CA_PIN_MISMATCH',
      exitCode: 12,
      says: `but only ${zeroPin} is pinned`,
      args: instead('--discovery-token-ca-cert-hash', zeroPin),
    },
    {
      title: 'a token whose secret half is wrong',
      code: 'E_CLUSTER_INFO_SIGNATURE',
      exitCode: 12,
      says: 'is not signed by token',
      args: ({ token }) => ['--token', `${token.slice(0, 7)}${'z'.repeat(16)}`],
    },
    {
      title: 'a cluster-info whose signature is forged',
      code: 'E_CLUSTER_INFO_SIGNATURE',
      exitCode: 12,
      says: 'is not signed by token',
      prepare: (sandbox) => forge(sandbox, { bundle: sandbox.caPem, secret: 'f'.repeat(16) }),
    },
    {
      title: "a bundle of the real CA and an attacker's, signed by a token holder on the path",
      code: 'E_API_CERTIFICATE_UNTRUSTED',
      exitCode: 12,
      says: 'no trusted CA has signed',
      prepare: (sandbox) => {
        const attacker = certificate({ use: 'ca' });
        forge(sandbox, { bundle: sandbox.caPem + attacker.cert });
        sandbox.serveWith(certificate({ use: 'server', issuer: attacker.key }));
      },
    },
    {
      title: 'the same bundle where the path leads on to the real server',
      code: 'E_CLUSTER_INFO_CHANGED',
      exitCode: 12,
      says: 'one cluster-info to anybody and another one behind the pinned certificate',
      prepare: (sandbox) => forge(sandbox, { bundle: sandbox.caPem + certificate({ use: 'ca' }).cert, times: 1 }),
    },
    {
      title: 'a certificate of an unknown CA, whatever NODE_TLS_REJECT_UNAUTHORIZED says',
      code: 'E_API_CERTIFICATE_UNTRUSTED',
      exitCode: 12,
      says: 'no trusted CA has signed',
      prepare: (sandbox) => sandbox.serveWith(certificate({ use: 'server', issuer: generateKeyPem() })),
      env: { NODE_TLS_REJECT_UNAUTHORIZED: '0' },
    },
    {
      title: 'a certificate that does not fit the endpoint',
      code: 'E_API_CERTIFICATE_NAME',
      exitCode: 12,
      says: 'is not valid for this address, only for DNS:other.example',
      prepare: (sandbox) =>
        sandbox.serveWith(certificate({ use: 'server', issuer: sandbox.caKeyPem, altNames: ['other.example'] })),
    },
    {
      title: 'a certificate that has expired',
      code: 'E_API_CERTIFICATE_TIME',
      exitCode: 12,
      says: 'certificate has expired',
      prepare: (sandbox) =>
        sandbox.serveWith(certificate({ use: 'server', issuer: sandbox.caKeyPem, fromDays: -3, toDays: -1 })),
    },
    {
      title: 'a clock that differs by more than a minute',
      code: 'E_CLOCK_SKEW',
      exitCode: 12,
      says: "this machine's clock is",
    },
    {
      title: 'an endpoint without a token, a pin, and with a bad one, all at once',
      code: 'E_INPUT',
      exitCode: 2,
      says: '--token has the wrong form: it must be 6 and 16 lower-case letters or digits',
      args: instead('--token', 'ABCDEF.0123456789abcdef'),
    },
  ];
  test.each(attacks)('$title: $code', async ({ code, exitCode, says, args, prepare, env, title }) => {
    const skewed = title.includes('clock') ? { now: () => new Date(Date.now() + 5 * 60_000) } : {};
    const { sandbox, args: given, tree } = await scene(skewed);
    prepare?.(sandbox);
    const before = await tree();
    const changed = args?.(sandbox) ?? [];
    const line = given('run');
    const index = line.indexOf(changed[0] ?? 'none');
    if (index >= 0) line.splice(index, 2);
    const at = Date.now();
    const ended = await cli([...line, ...changed], env);
    expect(ended.stderr).toContain(code);
    expect(ended.stderr).toContain(says);
    expect(ended.stderr).toContain('\n  → ');
    expect(ended.code).toBe(exitCode);
    expect(Date.now() - at).toBeLessThan(3_000);
    expect(await tree()).toEqual(before);
    expect(sentWithCredentials(sandbox)).toEqual([]);
    expect(ended.stdout + ended.stderr).not.toContain(sandbox.token.split('.')[1]);
  });

  test('an endpoint that does not answer: E_API_UNREACHABLE, when the time that it is given is up', async () => {
    const { args, root, tree } = await scene();
    const before = await tree();
    const shipped = await readFile(join(project, 'pipelines/join-worker.yaml'), 'utf8');
    const impatient = join(root, '../impatient.yaml');
    await writeFile(impatient, shipped.replace('initial: 500ms', 'initial: 10ms'));
    const line = args('run', '--pipeline', impatient, '--discovery-timeout', '500ms').map((word) =>
      /^127\.0\.0\.1:/.test(word) ? '127.0.0.1:1' : word,
    );
    const { code, stderr } = await cli(line);
    expect(code).toBe(5);
    expect(stderr).toContain(
      'discovery: attempt 1 failed: https://127.0.0.1:1 does not answer: connect ECONNREFUSED 127.0.0.1:1; retrying in 0.01 s',
    );
    expect(stderr).toContain('E_API_UNREACHABLE in step discovery');
    expect(stderr).toContain('curl -k https://127.0.0.1:1/healthz');
    expect(await tree()).toEqual(before);
  });

  test('a token that may sign but not authenticate: E_API_UNAUTHORIZED, before anything is written', async () => {
    const { sandbox, args, tree } = await scene();
    const name = `bootstrap-token-${sandbox.token.slice(0, 6)}`;
    const token = sandbox.store.get<KubeObject & { data: Record<string, string> }>('secrets', name, 'kube-system');
    if (token === undefined) throw new Error(`no ${name}`);
    sandbox.store.update('secrets', {
      ...token,
      data: { ...token.data, 'usage-bootstrap-authentication': 'ZmFsc2U=' },
    });
    const before = await tree();
    const { code, stderr } = await cli(args('run'));
    expect(stderr).toContain('E_API_UNAUTHORIZED in step cluster-config');
    expect(code).toBe(5);
    expect(await tree()).toEqual(before);
  });

  test('a name that a Ready Node of another machine has: E_NODE_EXISTS', async () => {
    const { sandbox, args, tree } = await scene();
    sandbox.store.create('nodes', {
      metadata: { name: 'w1' },
      status: { conditions: [{ type: 'Ready', status: 'True' }] },
    } as never);
    const before = await tree();
    const { code, stderr } = await cli(args('run'));
    expect(stderr).toContain('E_NODE_EXISTS in step preflight-cluster: the cluster already has a Ready node named w1');
    expect(code).toBe(5);
    expect(sandbox.store.list('certificatesigningrequests')).toEqual([]);
    expect(await tree()).toEqual(before);
  });
});

describe('join phase', () => {
  test('lists the phases', async () => {
    const { stdout } = await cli(['phase']);
    expect(stdout.split('\n')[0]).toMatch(/^preflight +Check that this machine can join$/);
  });

  test('discovery --dry-run shows what was verified, and that nothing would be written', async () => {
    const { sandbox, args } = await scene();
    const { code, stdout, stderr } = await cli(args('phase', 'discovery', '--dry-run'));
    expect(code, stderr).toBe(0);
    expect(stdout).toBe(`Plan for phase discovery. Nothing was changed.
✓ discovery: Find and verify the cluster through a bootstrap token and pinned CA keys
    the signature of token ${sandbox.token.slice(0, 6)} on cluster-info from ${sandbox.endpoint} is valid
    its CA has the pinned key ${sandbox.caPin}
    the API server is https://${sandbox.endpoint}
    no changes
    identity = (3 entries)
    server = https://${sandbox.endpoint}
    ca = (${sandbox.caPem.trimEnd().split('\n').length} lines)
`);
  });

  describe('preflight --output json', () => {
    const look = async (root: string, ...more: string[]) => {
      const { code, stdout } = await cli(['phase', 'preflight', '--root', root, '--output', 'json', ...more]);
      const { steps, error } = documentOf('RunResult', stdout);
      const checks: CheckResult[] = steps[0].outputs?.checks ?? error.facts.checks;
      return { code, checks, of: (name: string) => checks.filter(({ check }) => check === name) };
    };

    test('tells of each check what came of it, and what was seen', async () => {
      const { root } = await scene();
      const { code, checks, of } = await look(root, '10.0.0.1:6443');
      expect(code).toBe(0);
      expect(checks.filter(({ result }) => result !== 'ok')).toEqual([]);
      expect(of('CRI')).toMatchObject([
        { evidence: 'containerd 0.0.0-stand-in answers at /run/containerd/containerd.sock by CRI v1', hint: '' },
      ]);
      expect(of('KubeletVersion')).toMatchObject([{ evidence: 'the kubelet is v1.20.2' }]);
    });

    test('tells all of them where some fail, too, and exits 4; ignored by either flag it exits 0', async () => {
      const { root, tree } = await scene();
      await writeFile(join(root, 'proc/swaps'), 'Filename\n/dev/sda2 partition 1 0 -2\n');
      await mkdir(join(root, 'etc/kubernetes'));
      await writeFile(join(root, 'etc/kubernetes/kubelet.conf'), '');
      const before = await tree();
      const { code, checks, of } = await look(root);
      expect(code).toBe(4);
      expect(checks.length).toBeGreaterThan(25);
      expect(of('Swap')).toEqual([
        {
          check: 'Swap',
          result: 'error',
          evidence: 'swap is on: /dev/sda2',
          hint: 'swapoff -a, and remove it from /etc/fstab to keep it off',
        },
      ]);
      const file = 'FileAvailable--etc-kubernetes-kubelet.conf';
      const ignoring = await look(root, '--ignore-checks-errors', 'swap', '--ignore-preflight-errors', file);
      expect([ignoring.code, ignoring.of('Swap')[0]?.result, ignoring.of(file)[0]?.result]).toEqual([
        0,
        'ignored',
        'ignored',
      ]);
      expect((await cli(['phase', 'preflight', '--root', root, '--ignore-checks-errors', 'all,Swap'])).code).toBe(2);
      expect(await tree()).toEqual(before);
    });
  });

  test('NAME takes documents as YAML, from files or as they are typed', async () => {
    const { sandbox, root } = await scene();
    const [ca, config] = [join(root, '../ca.crt'), join(root, '../kubelet.yaml')];
    await writeFile(ca, sandbox.caPem);
    await writeFile(config, 'kind: KubeletConfiguration\nmaxPods: 7\n');
    const args = ['phase', 'kubelet-config', '--ca', `@${ca}`, '--root', root, '--kubelet-configuration'];
    const { code, stderr } = await cli([...args, `@${config}`]);
    expect(code, stderr).toBe(0);
    expect(await readFile(join(root, 'var/lib/kubelet/config.yaml'), 'utf8')).toContain('maxPods: 7\n');
    const typed = await cli([...args, '{ kind: KubeletConfiguration, maxPods: 8 }']);
    expect(typed.code, typed.stderr).toBe(0);
    expect(await readFile(join(root, 'var/lib/kubelet/config.yaml'), 'utf8')).toContain('maxPods: 8\n');
    for (const [text, says] of [
      ['{ kind', '--kubelet-configuration is not valid YAML: '],
      ['{ kind: Pod }', '--kubelet-configuration'],
    ]) {
      const refused = await cli([...args, text ?? '']);
      expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining(says ?? '')]);
    }
  });

  test('NAME takes what a phase needs as flags, from files where they begin with @', async () => {
    const { sandbox, root, tree } = await scene();
    const ca = join(root, '../ca.crt');
    await writeFile(ca, sandbox.caPem);
    const { code, stdout, stderr } = await cli([
      'phase',
      'tls-bootstrap',
      '--server',
      `https://${sandbox.endpoint}`,
      '--ca',
      `@${ca}`,
      '--token',
      sandbox.token,
      '--root',
      root,
    ]);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('    key = ***');
    expect(sandbox.store.list('certificatesigningrequests')).toHaveLength(1);
    expect(Object.keys(await tree()).filter((path) => path.startsWith('/run/joinery'))).toEqual([]);
  });

  test('NAME --help says what the phase may do', async () => {
    const { stdout } = await cli(['phase', 'kubeconfig', '--help']);
    expect(stdout).toContain('writes /etc/kubernetes/kubelet.conf (0600)');
    expect(stdout).toContain('--server');
  });
});

describe('join pipeline validate', () => {
  test('accepts every pipeline that ships', async () => {
    expect(await cli(['pipeline', 'validate', 'join-worker'])).toEqual({
      code: 0,
      stdout: 'join-worker: 12 steps, no problems\n',
      stderr: '',
    });
  });
  test('says all that is wrong, with file, line and column, and exits 3', async () => {
    const { root } = await scene();
    const file = join(root, '../broken.yaml');
    await writeFile(
      file,
      'apiVersion: joinery.dev/v1\nkind: Pipeline\nmetadata: { name: x }\nsteps:\n  - { id: a, uses: preflihgt }\n  - { id: b, uses: kubelet-start, needs: [c] }\n',
    );
    const { code, stderr } = await cli(['pipeline', 'validate', file]);
    expect(code).toBe(3);
    expect(stderr).toContain(`${file}:5:20: there is no phase preflihgt; did you mean preflight?`);
    expect(stderr).toContain(`${file}:6:43: there is no step c\n`);
  });
});

/** A self-signed certificate, or one that `issuer` signs in the name of the cluster's CA. */
function certificate({
  use,
  issuer,
  altNames = ['127.0.0.1'],
  fromDays = -1,
  toDays = 1,
}: {
  use: 'ca' | 'server';
  issuer?: string;
  altNames?: string[];
  fromDays?: number;
  toDays?: number;
}) {
  const key = generateKeyPem();
  const cert = issueCertificate({
    subject: { commonName: use === 'ca' ? 'kubernetes' : 'kube-apiserver', organizations: [] },
    publicKey: publicKeyDer(key),
    signingKey: issuer ?? key,
    issuer: { commonName: 'kubernetes', organizations: [] },
    use,
    altNames: use === 'ca' ? [] : altNames,
    notBefore: new Date(Date.now() + fromDays * DAY_MS),
    notAfter: new Date(Date.now() + toDays * DAY_MS),
  });
  return { cert, key };
}

/** A configuration with which the kubelet cannot start: it would listen where this machine has no address. */
function breakKubelet(sandbox: Sandbox): void {
  const name = 'kubelet-config-1.20';
  const map = sandbox.store.get<KubeObject & { data: Record<string, string> }>('configmaps', name, 'kube-system');
  if (map === undefined) throw new Error(`no ${name}`);
  const kubelet = (map.data.kubelet ?? '').replace(/^healthzBindAddress: .*$/m, 'healthzBindAddress: 203.0.113.1');
  expect(kubelet).toContain('203.0.113.1');
  sandbox.store.update('configmaps', { ...map, data: { kubelet } });
}

/** What an attacker on the path would answer to the anonymous request. */
function forge(
  sandbox: Sandbox,
  { bundle, secret, times = 10 }: { bundle: string; secret?: string; times?: number },
): void {
  expect(readCertificates(bundle).length).toBeGreaterThan(0);
  const [id = '', own = ''] = sandbox.token.split('.');
  const kubeconfig = `apiVersion: v1\nkind: Config\nclusters:\n- name: ""\n  cluster:\n    server: https://${sandbox.endpoint}\n    certificate-authority-data: ${Buffer.from(bundle).toString('base64')}\n`;
  sandbox.faults.add({
    effect: 'forged',
    times,
    body: {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'cluster-info', namespace: 'kube-public' },
      data: { kubeconfig, [`jws-kubeconfig-${id}`]: signDetached(kubeconfig, id, secret ?? own) },
    },
  });
}

async function waitFor<T>(look: () => T | undefined): Promise<T> {
  for (let tries = 0; tries < 500; tries++) {
    const found = look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('it never came');
}
