/** A machine in memory that joins as a control plane, with an etcd in memory. */
import { CONTROL_PLANE_PIPELINE } from '../../bin/pipelines.ts';
import type { Change } from '../../engine/host/changes/index.ts';
import type { EtcdWait } from '../../engine/host/etcd/members.ts';
import { configMapRef, paths } from '../../engine/node/index.ts';
import { fitsKey, generateSealKey, readCertificates, seal } from '../../engine/pki/index.ts';
import { goYaml } from '../../engine/sdk/index.ts';
import { MemoryEtcd } from '../../engine/testing/memory-etcd.ts';
import type { MemoryMachine } from '../../engine/testing/memory-host.ts';
import { authority, ENDPOINT, type FakeCluster, joinableCluster, TOKEN } from './cluster.ts';
import { ADDRESS, CONFIGURATION, PKI, SHARED } from './control-plane.ts';
import { etcdPodOf, peerUrl, rolesOf, voter } from './etcd.ts';
import { NODE } from './joined-state.ts';
import { MemoryDisk } from './memory-disk.ts';
import { MemoryJoin, type Trees } from './memory-join.ts';
import { memoryPlan } from './memory-plan.ts';

const CA = authority();
const KEY = generateSealKey();
const LEASE = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/joinery-etcd';
const PODS = 'GET /api/v1/namespaces/kube-system/pods';
const MANIFEST = `${paths.manifests}/etcd.yaml`;
const PLAN = await memoryPlan(CONTROL_PLANE_PIPELINE, {
  endpoint: ENDPOINT,
  token: TOKEN,
  discoveryTokenCaCertHash: [CA.pin],
  certificateKey: KEY,
  apiserverAdvertiseAddress: ADDRESS,
  ignorePreflightErrors: ['all'],
});
const SECRET = Object.entries({ ...SHARED, 'ca.crt': CA.pem, 'ca.key': CA.key }).map(([path, content]) => [
  path.replace('/', '-'),
  seal(KEY, Buffer.from(content)).toString('base64'),
]);
/** Random in every run: certificates and keys of this machine, and the kubeconfigs that contain them. */
const OWN =
  /\/pki\/(apiserver|front-proxy-client|etcd\/(server|peer|healthcheck))|\/(admin|controller-manager|scheduler)\.conf$/;
const BASE64 = /[A-Za-z0-9+/]{40,}=*/g;

/** A cluster whose first control plane kubeadm has initialized, and which has stored its certificates. */
function clusterOfOne(): FakeCluster {
  const cluster = joinableCluster(CA);
  const configuration = { ...CONFIGURATION, kubernetesVersion: 'v1.30.2', encryptionAlgorithm: 'ECDSA-P256' };
  cluster.put(configMapRef('kube-system', 'kubeadm-config'), { data: { ClusterConfiguration: goYaml(configuration) } });
  const secrets = { apiVersion: 'v1', resource: 'secrets', namespace: 'kube-system', name: 'kubeadm-certs' };
  cluster.put(secrets, { data: Object.fromEntries(SECRET) });
  cluster.answers.set(PODS, () => cluster.answer(200, { items: [etcdPodOf(1)] }));
  return cluster;
}

/** An etcd that a kubelet starts. */
class PodEtcd extends MemoryEtcd {
  starting: (directories: readonly string[]) => void = () => undefined;

  override wait(condition: EtcdWait): string[] {
    this.starting(super.wait(condition));
    return [];
  }
}

export class MemoryControlPlane extends MemoryJoin {
  protected override readonly plan = PLAN;
  protected override readonly again = { token: TOKEN, certificateKey: KEY };
  readonly etcd: PodEtcd;
  #changes = 0;

  private constructor(disk: MemoryDisk, cluster: FakeCluster, isKubeletRunning: boolean, etcd: PodEtcd) {
    super(disk, cluster, isKubeletRunning);
    this.etcd = etcd;
  }

  /** A new machine, and the states before and after a join. */
  static fresh() {
    const disk = new MemoryDisk();
    for (const path of ['/run', '/etc/systemd/system', '/var/lib']) disk.put(path);
    const etcd = new PodEtcd({ members: [voter(1)], starts: NODE });
    return MemoryJoin.from(new MemoryControlPlane(disk, clusterOfOne(), false, etcd));
  }

  protected override on(disk: MemoryDisk): this {
    const etcd = new PodEtcd({ members: structuredClone(this.etcd.members), starts: NODE });
    return new MemoryControlPlane(disk, this.copyOfCluster(), this.isKubeletRunning, etcd) as this;
  }

  protected override machine(): MemoryMachine {
    this.etcd.starting = (paths) => this.#start(paths);
    return { etcd: this.etcd, podSandboxes: [] };
  }

  protected override apply(change: Change): void {
    if (change.kind !== 'etcd-member') throw new Error(`a ${change.kind} is not part of a join`);
    this.etcd.change(change.action, change.peerUrl);
    this.#changes++;
  }

  /** etcd starts if the kubelet runs and has its manifest. */
  #start(directories: readonly string[]): void {
    if (!this.isKubeletRunning || !this.disk.tree().has(MANIFEST)) throw new Error('etcd does not run');
    for (const path of directories) this.disk.write(`${path}/wal`, 'its own');
    this.#changes++;
  }

  override tree(): Map<string, string> {
    return new Map(
      [...super.tree()].map(([path, line]) => [
        path,
        OWN.test(path) ? line.replace(/-----BEGIN.*/s, 'PEM').replace(BASE64, 'base64') : line,
      ]),
    );
  }

  override shape(): string {
    const shape = super
      .shape()
      .replace(/-----BEGIN.*?-----END [A-Z ]*-----/gs, 'PEM')
      .replace(BASE64, 'base64');
    return `${shape} ${this.roles().join()} ${JSON.stringify(this.cluster.objects.get(LEASE))}`;
  }

  protected override get stateVersion(): string {
    return `${super.stateVersion} ${this.#changes}`;
  }

  roles(): string[] {
    return rolesOf(this.etcd);
  }

  /** Path → certificates of this machine, with their keys, as they are on the disk. */
  certificates(): Map<string, string> {
    return new Map([...this.disk.tree()].filter(([path]) => OWN.test(path) && !path.endsWith('.tmp')));
  }

  override async problemsOfRun(trees: Trees): Promise<string[]> {
    const own = this.etcd.members.filter(({ peerUrls }) => peerUrls.includes(peerUrl(2)));
    const roles = this.roles();
    return [
      ...(await super.problemsOfRun(trees)),
      ...(roles.join() === `cp1 voter,${NODE} voter` && own.length === 1 ? [] : [`the members are ${roles.join()}`]),
      ...this.#leaseProblems(),
      ...this.#pairProblems(),
    ];
  }

  override async problemsOfUndo(trees: Trees, isRemembered: boolean): Promise<string[]> {
    const roles = this.roles().join();
    return [
      ...(await super.problemsOfUndo(trees, isRemembered)),
      ...(roles === 'cp1 voter' ? [] : [`the members are ${roles}`]),
      ...this.#leaseProblems(),
    ];
  }

  #leaseProblems(): string[] {
    const { spec } = (this.cluster.objects.get(LEASE) ?? {}) as { spec?: { holderIdentity?: string | null } };
    return spec?.holderIdentity == null ? [] : [`the lease is held by ${spec.holderIdentity}`];
  }

  /** Each certificate has its key beside it. */
  #pairProblems(): string[] {
    const files = this.certificates();
    return [...files].flatMap(([path, line]) => {
      if (!path.startsWith(PKI) || !path.endsWith('.crt')) return [];
      const key = files.get(path.replace(/crt$/, 'key'))?.replace(/^.*?(?=-----BEGIN)/s, '') ?? '';
      const [certificate] = readCertificates(line.replace(/^.*?(?=-----BEGIN)/s, ''));
      return certificate !== undefined && fits(certificate, key) ? [] : [`${path} does not have its key`];
    });
  }
}

function fits(certificate: Parameters<typeof fitsKey>[0], key: string): boolean {
  try {
    return fitsKey(certificate, key);
  } catch {
    return false;
  }
}
