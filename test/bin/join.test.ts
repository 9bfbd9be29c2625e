import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isReady, type NodeObject } from '../../engine/node/index.ts';
import type { Sandbox } from '../../plugins/sandbox/index.ts';
import type { KubeObject } from '../../plugins/sandbox/objects.ts';
import { cli, modesOf, scene, start } from './cli.ts';
import { documentOf } from './documents.ts';

const CSR_PATH = '/apis/certificates.k8s.io/v1/certificatesigningrequests';

describe('join run', () => {
  test('join run joins as its dry run announced, and a second run changes nothing', async () => {
    const { sandbox, args, tree, root } = await scene();
    const before = await tree();

    const planned = await start(args('run', '--output', 'json', '--dry-run')).outcome;
    expect(planned.code, planned.stderr).toBe(0);
    const plan = documentOf('RunResult', planned.stdout);
    expect(await tree()).toEqual(before);
    expect(sandbox.store.list('certificatesigningrequests')).toEqual([]);
    expect(sandbox.store.list('nodes').map(({ metadata }) => metadata.name)).not.toContain('w1');

    const done = await start(args('run', '--output', 'json', '--wait', 'ready')).outcome;
    expect(done.code, done.stderr).toBe(0);
    const result = documentOf('RunResult', done.stdout);
    const node = sandbox.store.get<NodeObject & KubeObject>('nodes', 'w1');
    expect(isReady(node)).toBe(true);
    expect(Object.keys(node?.metadata.annotations ?? {})).toEqual([
      'volumes.kubernetes.io/controller-managed-attach-detach',
    ]);
    const after = await tree();
    const pem = Object.keys(after).find((path) => /kubelet-client-[\d-]+\.pem$/.test(path)) ?? '';
    expect(modesOf(Object.fromEntries(Object.entries(after).filter(([path]) => before[path] === undefined)))).toEqual({
      '/etc/kubernetes/kubelet.conf': '0600',
      '/etc/kubernetes/pki/ca.crt': '0644',
      '/var/lib/kubelet/config.yaml': '0644',
      '/var/lib/kubelet/instance-config.yaml': '0644',
      '/var/lib/kubelet/kubeadm-flags.env': '0644',
      [pem]: '0600',
      '/var/lib/kubelet/pki/kubelet-client-current.pem': 'link',
    });
    // The plan lists the changes of the run in the same order; only names from the key and the clock differ.
    const changesOf = (document: { steps: { changes: object[] }[] }) =>
      JSON.parse(
        JSON.stringify(document.steps.flatMap(({ changes }) => changes))
          .replace(/node-csr-[\w-]+/g, 'node-csr-X')
          .replace(/kubelet-client-[\d-]+/g, 'kubelet-client-X')
          .replace(/"checked":"(sent|dry-run|not-checked)"(,"why":"[^"]*")?/g, '"checked":"-"'),
      );
    expect(changesOf(plan)).toEqual(changesOf(result));

    const again = await start(args('run', '--output', 'json')).outcome;
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

  test('join run and its phase read a discovery file, relative to the root of the machine', async () => {
    const { sandbox, root, tree } = await scene();
    const info = sandbox.store.get<KubeObject & { data?: { kubeconfig?: string } }>(
      ...(['configmaps', 'cluster-info', 'kube-public'] as const),
    );
    await writeFile(join(root, 'made-cluster.conf'), info?.data?.kubeconfig ?? '');
    const flags = ['--discovery-file', 'made-cluster.conf', '--tls-bootstrap-token', sandbox.token, '--root', root];
    for (const words of [['phase', 'discovery-file'], ['run']]) {
      const { code, stderr } = await cli([...words, ...flags]);
      expect(code, stderr).toBe(0);
    }
    expect(Object.keys(await tree())).toContain('/etc/kubernetes/kubelet.conf');
  });

  test('join run prints the command that approves the CSR if approval is not automatic', async () => {
    const { sandbox, args } = await scene({ autoApprove: false });
    const { outcome } = start(args('run'));
    const csr = await waitFor(() => sandbox.store.list('certificatesigningrequests')[0]);
    sandbox.autoApprove = true; // an administrator approves it
    const { code, stderr } = await outcome;
    expect(code, stderr).toBe(0);
    expect(stderr).toContain(
      `! ${csr.metadata.name} needs manual approval:\n    kubectl get csr\n    kubectl certificate approve ${csr.metadata.name}\n`,
    );
  });

  test('join run stops within two seconds of SIGINT, exits 130 and leaves nothing on disk', async () => {
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

  test('join run survives a watch that ends or has expired, and a server that is briefly overloaded', async () => {
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

  test('join run reports at once why the kubelet died', async () => {
    const { sandbox, args } = await scene();
    breakKubelet(sandbox);
    const { code, stderr } = await cli(args('run'));
    expect(code).toBe(6);
    expect(stderr).toContain(
      'E_SERVICE_FAILED in step kubelet-start: the kubelet exits right after it starts (last log',
    );
    expect(stderr).toMatch(/starts \(last log line: F\d{4} .*failed to run Kubelet/);
  });

  test('join run --on-failure undo undoes what a failed run did, including directories', async () => {
    const { sandbox, args, tree, root } = await scene();
    breakKubelet(sandbox);
    await mkdir(join(root, 'etc/kubernetes'));
    await writeFile(join(root, 'etc/kubernetes/kubelet.conf'), 'of another program', { mode: 0o640 });
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

/** A configuration with which the kubelet cannot start: it does not know its version. */
function breakKubelet(sandbox: Sandbox): void {
  const name = 'kubelet-config';
  const map = sandbox.store.get<KubeObject & { data: Record<string, string> }>('configmaps', name, 'kube-system');
  if (map === undefined) throw new Error(`no ${name}`);
  const kubelet = (map.data.kubelet ?? '').replace(/^apiVersion: .*\n/m, '');
  expect(kubelet).not.toBe(map.data.kubelet);
  sandbox.store.update('configmaps', { ...map, data: { kubelet } });
}

async function waitFor<T>(find: () => T | undefined): Promise<T> {
  for (let tries = 0; tries < 500; tries++) {
    const found = find();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('not found within 10 s');
}
