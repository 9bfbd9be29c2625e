/**
 * `join run` on a real cluster. JOINER names another joiner to prove the harness with, as in `JOINER="kubeadm join"`:
 * what only Joinery promises (dry runs, error codes, a second run, a prompt end by SIGINT) then fails, by design.
 */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Options, Result, Running } from './command.ts';
import { type Cluster, cleanUp, type Machine, missing, projectRoot, startCluster, startMachine } from './rig.ts';
import { digest, type Entry, walk } from './tree.ts';

const joiner = process.env.JOINER?.split(' ') ?? [join(projectRoot, 'bin/join'), 'run'];
const reason = missing();
if (reason) console.warn(`the tests on a real cluster are skipped: ${reason}`);

/** Files below /var/lib/kubelet that the kubelet and the stand-in service manager create. */
const kubelets =
  /^var\/lib\/kubelet\/(\.service|cpu_manager_state|memory_manager_state|device-plugins|plugins|plugins_registry|pod-resources|pods|pki\/kubelet\.(crt|key))(\/|$)/;

/** Files of kubeadm join v1.20.2 on a worker, without the kubelet's own. DATE replaces the day in a name. */
const leftByKubeadm = [
  'file 0600 etc/kubernetes/kubelet.conf',
  'dir 0755 etc/kubernetes/pki',
  'file 0644 etc/kubernetes/pki/ca.crt',
  'file 0644 var/lib/kubelet/config.yaml',
  'file 0644 var/lib/kubelet/kubeadm-flags.env',
  'dir 0755 var/lib/kubelet/pki',
  'file 0600 var/lib/kubelet/pki/kubelet-client-DATE.pem',
  'link var/lib/kubelet/pki/kubelet-client-current.pem -> /var/lib/kubelet/pki/kubelet-client-DATE.pem',
];

let cluster: Cluster;
let report: () => Promise<string> = async () => '';

/** All files in the private folders of the machine. */
const everything = (machine: Machine): Entry[] => walk(machine.path('/'));
/** All files except the records of Joinery's runs. */
const files = (machine: Machine): Entry[] =>
  everything(machine).filter(({ kind, path }) => kind !== 'dir' && !path.startsWith('var/lib/joinery/'));
/** The files of a join, without files of the kubelet and journals. */
const joined = (machine: Machine): Entry[] =>
  everything(machine).filter(
    ({ path }) => /^(etc\/kubernetes|var\/lib\/kubelet)\/./.test(path) && !kubelets.test(path),
  );
const kubectl = (...args: string[]): Promise<string> => cluster.kubectl(args);
const stored = (): Promise<string> => kubectl('get', 'csr,nodes', '-o', 'name');

/** Starts `join` on the machine. If the test fails, prints its output and the kubelet's log. */
function startJoin(machine: Machine, extra: string[] = [], { server, token, caHash } = cluster, options: Options = {}) {
  const flags = ['--token', token, '--discovery-token-ca-cert-hash', caHash, '--cri-socket', machine.socket];
  const argv = [...joiner, server, ...flags, '--ignore-preflight-errors', 'all', ...extra];
  const running = machine.start(argv, options);
  report = async () => {
    const { code, ms, stdout, stderr } = await running.done;
    const log = await machine.run(['journalctl', '-u', 'kubelet', '-n', '40']);
    const command = argv.join(' ').replaceAll(token, '***');
    return `${command}\nended with ${code} after ${Math.round(ms)} ms\n--- stdout\n${stdout}\n--- stderr\n${stderr}\n--- kubelet\n${log.stdout}`;
  };
  return running;
}

const runJoin = (...args: Parameters<typeof startJoin>): Promise<Result> => startJoin(...args).done;

async function until(what: string, limitMs: number, holds: () => Promise<boolean>): Promise<void> {
  for (const from = Date.now(); !(await holds()); await sleep(100))
    if (Date.now() > from + limitMs) throw new Error(`not within ${limitMs} ms: ${what}`);
}

describe.skipIf(reason)(`join run on a real cluster${reason ? ` (skipped: ${reason})` : ''}`, () => {
  beforeAll(async () => {
    cluster = await startCluster();
  });
  afterAll(cleanUp);
  beforeEach(({ onTestFailed }) => {
    onTestFailed(async () => console.error(await report()));
  });

  describe('a join of a fresh machine', () => {
    let machine: Machine;
    beforeAll(async () => {
      machine = await startMachine('w1');
    });

    test('a dry run succeeds and changes nothing in the cluster or on the machine', async () => {
      const before = { stored: await stored(), digest: digest(everything(machine)) };
      const { code } = await runJoin(machine, ['--dry-run']);
      expect(code).toBe(0);
      expect({ stored: await stored(), digest: digest(everything(machine)) }).toEqual(before);
    });

    test('a join with token and pin writes the same files and modes as kubeadm', async () => {
      const { code } = await runJoin(machine);
      expect(code).toBe(0);
      const lines = joined(machine).map(({ kind, mode, path, content }) =>
        (kind === 'link' ? `link ${path} -> ${content}` : `${kind} ${mode} ${path}`).replace(
          /\d{4}(-\d\d){5}/g,
          'DATE',
        ),
      );
      expect(lines).toEqual(leftByKubeadm);
      const current = await machine.run(['cat', '/var/lib/kubelet/pki/kubelet-client-current.pem']);
      const blocks = [...current.stdout.matchAll(/-----BEGIN (.*)-----/g)].map(([, label]) => label);
      expect(blocks).toEqual(['CERTIFICATE', 'EC PRIVATE KEY']);
    });

    test('a finished join leaves no token in any file and nothing under /run/joinery', () => {
      const secret = Buffer.from(cluster.token.split('.')[1] ?? '');
      const telling = files(machine).filter(({ content }) => content.includes(secret));
      expect(telling.map(({ path }) => path)).toEqual([]);
      expect(walk(machine.path('/run/joinery')).map(({ path }) => path)).toEqual([]);
    });

    test('the Node has the CRI socket annotation, becomes Ready and runs a Pod', async () => {
      const jsonpath = (path: string, ...what: string[]) => kubectl('get', ...what, '-o', `jsonpath=${path}`);
      const ready = '{.status.conditions[?(@.type=="Ready")].status}';
      await until('the Node is Ready', 60_000, async () => (await jsonpath(ready, 'node', 'w1')) === 'True');
      const annotation = '{.metadata.annotations.kubeadm\\.alpha\\.kubernetes\\.io/cri-socket}';
      expect((await jsonpath(annotation, 'node', 'w1')).replace(/^unix:\/\//, '')).toBe(machine.socket);
      const accounts = () => kubectl('get', 'serviceaccounts', '-o', 'name');
      await until('a ServiceAccount', 60_000, async () => (await accounts()).includes('serviceaccount/default'));
      const spec = {
        nodeName: 'w1',
        automountServiceAccountToken: false,
        tolerations: [{ operator: 'Exists' }],
        containers: [{ name: 'pause', image: 'local.test/pause:1' }],
      };
      const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'first' }, spec };
      await cluster.kubectl(['create', '-f', '-'], JSON.stringify(pod));
      const phase = () => jsonpath('{.status.phase}', 'pod', 'first');
      await until('the Pod runs', 60_000, async () => (await phase()) === 'Running');
    });

    test('a second join changes nothing and leaves the same kubelet running', async () => {
      const state = async () => ({
        files: digest(joined(machine)),
        kubelet: machine.kubeletPid(),
        stored: await stored(),
      });
      const before = await state();
      expect(before.kubelet).toBeDefined();
      const { code } = await runJoin(machine);
      expect(code).toBe(0);
      expect(await state()).toEqual(before);
    });

    afterAll(async () => {
      // While its kubelet can still clean up.
      await kubectl('delete', 'pods', '--all', '--grace-period=1', '--timeout=30s');
      await machine.gone();
    });
  });

  describe('a join that cannot succeed', () => {
    let machine: Machine;
    beforeAll(async () => {
      machine = await startMachine('w2');
    });

    test.each<[string, () => Partial<Cluster>]>([
      ['a pin of another CA', () => ({ caHash: `sha256:${'0'.repeat(64)}` })],
      ['a wrong token secret', () => ({ token: cluster.token.replace(/\..*/, '.0123456789abcdef') })],
      ['an endpoint without a listener', () => ({ server: '127.0.0.1:9' })],
    ])('%s ends with an error code and leaves no file', async (_, wrong) => {
      const before = digest(files(machine));
      // A join may retry for about a minute.
      const { code, stderr } = await runJoin(machine, [], { ...cluster, ...wrong() }, { timeoutMs: 120_000 });
      expect(code).toBeGreaterThan(0);
      expect(code).toBeLessThan(128);
      expect(stderr).toMatch(/\bE_[A-Z_]+\b/);
      expect(digest(files(machine))).toEqual(before);
    });

    /** As the chapter of the documentation on turning off auto-approval has it. */
    async function withoutAutoApproval(act: (waiting: Running, csr: () => Promise<string>) => Promise<void>) {
      const binding = 'kubeadm:node-autoapprove-bootstrap';
      const { apiVersion, kind, roleRef, subjects } = JSON.parse(
        await kubectl('get', 'clusterrolebinding', binding, '-o', 'json'),
      );
      const before = await stored();
      await kubectl('delete', 'clusterrolebinding', binding);
      try {
        await act(startJoin(machine), async () => {
          await until('a request is waiting', 30_000, async () => (await stored()) !== before);
          return (await kubectl('get', 'csr', '-o', 'name')).split('\n').find((name) => !before.includes(name)) ?? '';
        });
      } finally {
        const restored = { apiVersion, kind, metadata: { name: binding }, roleRef, subjects };
        await cluster.kubectl(['create', '-f', '-'], JSON.stringify(restored));
        await kubectl('delete', 'csr', '--all');
      }
    }

    test('SIGINT during the wait for approval ends the join within 2 s with code 130 and leaves no file', async () => {
      const before = digest(files(machine));
      await withoutAutoApproval(async (running, csr) => {
        await csr();
        await sleep(500);
        const sent = performance.now();
        running.kill('SIGINT');
        const { code } = await running.done;
        expect(performance.now() - sent).toBeLessThan(2000);
        expect(code).toBe(130);
        expect(digest(files(machine))).toEqual(before);
      });
    });

    test('a kubelet that cannot start ends the join with its last log line; an undo removes all files', async () => {
      const before = digest(joined(machine));
      writeFileSync(machine.path('etc/default/kubelet'), 'KUBELET_EXTRA_ARGS="--feature-gates=NoSuchGate=true"\n');
      const { code, stderr } = await runJoin(machine, ['--kubelet-health-check-timeout', '8s', '--on-failure', 'undo']);
      rmSync(machine.path('etc/default/kubelet'));
      await machine.stopKubelet();
      expect(code).toBe(6);
      expect(stderr).toMatch(/E_HEALTH in step kubelet-start: .*last log line of the kubelet: F\d{4} .*NoSuchGate/);
      expect(digest(joined(machine))).toEqual(before);
    });

    test('a join continues within a second after kubectl approves its CSR, and the Node becomes Ready', async () => {
      await withoutAutoApproval(async (running, csr) => {
        const name = await csr();
        await kubectl('certificate', 'approve', name.replace(/^.*\//, ''));
        const approved = performance.now();
        await until('the identity is on disk', 1_000, async () =>
          existsSync(machine.path('etc/kubernetes/kubelet.conf')),
        );
        expect(performance.now() - approved).toBeLessThan(1_000);
        const { code, stderr } = await running.done;
        expect(stderr).toContain(`\n    kubectl certificate approve ${name.replace(/^.*\//, '')}\n`);
        expect(code).toBe(0);
      });
      // --wait ready on a machine that has already joined
      expect((await runJoin(machine, ['--wait', 'ready'])).code).toBe(0);
      expect(await kubectl('get', 'node', 'w2', '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].status}')).toBe(
        'True',
      );
    });

    afterAll(() => machine.gone());
  });
});
