/** A cluster whose machines have networks of their own, made by the real kubeadm, through `../shared/kube`. */
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { launch, must, type Running } from './command.ts';
import { projectRoot } from './rig.ts';

const rig = resolve(projectRoot, '../shared/kube');
const LIMIT_MS = 280_000;

/** Reason why these tests cannot run here; undefined if they can. */
export function missingMachines(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'it needs root on Linux';
  if (!existsSync(join(rig, 'cluster'))) return 'the rig ../shared/kube is not beside this checkout';
  if (!existsSync('/sys/fs/cgroup/memory')) return 'the machines need cgroups v1';
  return undefined;
}

/** Control plane cp1, by kubeadm, and machines that have joined nothing. */
export class MachineCluster {
  readonly directory = mkdtempSync('/tmp/joinery-machines-');
  #env: Record<string, string> = {};

  async start(machines: readonly string[], port: number): Promise<void> {
    await must([join(rig, 'cluster'), this.directory, '--control-planes', '1', '--port', String(port)], {
      timeoutMs: LIMIT_MS,
    });
    const text = readFileSync(join(this.directory, 'join.env'), 'utf8');
    this.#env = Object.fromEntries(text.split('\n').flatMap((line) => [line.split('=') as [string, string]]));
    await must([join(rig, 'cluster'), this.directory, '--ready', ...machines], { timeoutMs: LIMIT_MS });
  }

  /** The arguments of a join. */
  joinArguments(role: 'worker' | 'control plane'): string[] {
    const { SERVER = '', TOKEN = '', CA_HASH = '', CERT_KEY = '' } = this.#env;
    const asWorker = ['run', SERVER, '--token', TOKEN, '--discovery-token-ca-cert-hash', CA_HASH];
    return role === 'worker' ? asWorker : [...asWorker, '--control-plane', '--certificate-key', CERT_KEY];
  }

  /** The same join of a control plane by the real kubeadm. */
  kubeadmJoin(): string[] {
    return ['kubeadm', 'join', ...this.joinArguments('control plane').slice(1)];
  }

  on(machine: string, ...command: string[]): Running {
    return launch([join(rig, 'machine'), this.directory, machine, ...command], { timeoutMs: LIMIT_MS });
  }

  kubectl(...args: string[]): Promise<string> {
    return must(['kubectl', '--kubeconfig', join(this.directory, 'admin.conf'), '--request-timeout', '5s', ...args]);
  }

  /** `cp1 voter`, sorted, as the etcd of a machine sees it. */
  async members(machine: string): Promise<string[]> {
    const pki = '/etc/kubernetes/pki/etcd';
    const tls = ['--cacert', `${pki}/ca.crt`, '--cert', `${pki}/peer.crt`, '--key', `${pki}/peer.key`];
    const asked = ['etcdctl', '--endpoints', 'https://127.0.0.1:2379', ...tls, 'member', 'list'];
    const { stdout } = await this.on(machine, 'env', 'ETCDCTL_API=3', ...asked).done;
    const rows = stdout.trim().split('\n');
    return rows
      .map((row) => row.split(', '))
      .map(([, , name, , , learner]) => `${name} ${learner === 'false' ? 'voter' : 'learner'}`)
      .sort();
  }

  /** HTTP status of the API server of a machine. */
  async health(address: string): Promise<string> {
    const curl = ['curl', '-sk', '-m', '5', '-o', '/dev/null', '-w', '%{http_code}', `https://${address}:6443/livez`];
    return (await launch([join(rig, 'machine'), this.directory, '--wire', ...curl]).done).stdout;
  }

  async powerOff(machine: string): Promise<void> {
    await must([join(rig, 'machine'), this.directory, machine, '--off']);
  }

  async gone(): Promise<void> {
    await launch([join(rig, 'cluster'), this.directory, '--gone']).done;
  }
}
