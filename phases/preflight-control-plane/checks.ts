/** The checks of a control plane under kubeadm's names. Source: kubeadm, preflight/checks.go, InitNodeChecks. */
import { type ControlPlaneSettings, type ExternalEtcd, isPortInUse, minorOf, paths } from '../../engine/node/index.ts';
import type { Files, Services, Web } from '../../engine/sdk/index.ts';

export interface Check {
  name: string;
  severity: 'error' | 'warning';
  hint: string;
  /** What is wrong, or undefined. */
  run(): Promise<string | undefined>;
}

interface Machine {
  files: Files;
  services: Services;
  web: Web;
  /** Files and ports of an earlier join of this node are fine. */
  joinedBefore: boolean;
  /** The Secret has the client certificate of an external etcd. */
  downloads: boolean;
  /** Undefined if it is not known. */
  kubeletVersion: string | undefined;
}

const CPUS_MIN = 2;
const MEMORY_MIB_MIN = 1700;
const MANIFESTS = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'etcd'];

export function checksFor(machine: Machine, settings: ControlPlaneSettings, bindPort: number): Check[] {
  const { files, services } = machine;
  const { etcd } = settings;
  const ports = [bindPort, 10_259, 10_257, ...('local' in etcd ? [2379, 2380] : [])];
  return [
    error('NumCPU', 'Use a machine with more processors.', async () => {
      const count = (await textOf(files, '/proc/cpuinfo')).match(/^processor\s*:/gm)?.length ?? CPUS_MIN;
      return count < CPUS_MIN
        ? `this machine has ${count} processor, and a control plane needs ${CPUS_MIN}`
        : undefined;
    }),
    error('Mem', 'Use a machine with more memory.', async () => {
      const [, kib] = /^MemTotal:\s+(\d+) kB/m.exec(await textOf(files, '/proc/meminfo')) ?? [];
      const mib = Math.floor(Number(kib) / 1024);
      return mib < MEMORY_MIB_MIN
        ? `this machine has ${mib} MiB of memory, and a control plane needs ${MEMORY_MIB_MIN}`
        : undefined;
    }),
    {
      name: 'Firewalld',
      severity: 'warning',
      hint:
        `Open the ports ${bindPort} and 10250: ` +
        `firewall-cmd --permanent --add-port=${bindPort}/tcp --add-port=10250/tcp`,
      run: async () =>
        (await services.status('firewalld')).active ? 'firewalld is active, and may block the API server' : undefined,
    },
    ...ports.map((port) => portFree(machine, port)),
    ...MANIFESTS.map((name) => fileAvailable(machine, `${paths.manifests}/${name}.yaml`)),
    ...subnetProxies(machine, settings),
    ...('local' in etcd ? [emptyDirectory(machine, etcd.local.dataDir)] : externalEtcdFiles(machine, etcd.external)),
    knownRelease(machine, settings),
  ];
}

const error = (name: string, hint: string, run: Check['run']): Check => ({ name, severity: 'error', hint, run });

const textOf = async (files: Files, path: string): Promise<string> =>
  (await files.read(path))?.toString('latin1') ?? '';

const portFree = ({ files, joinedBefore }: Machine, port: number): Check =>
  error(`Port-${port}`, `Find the program: ss -ltnp sport = ${port}`, async () =>
    !joinedBefore && (await isPortInUse(files, port)) ? `port ${port} is in use` : undefined,
  );

const fileAvailable = ({ files, joinedBefore }: Machine, path: string): Check =>
  error(
    `FileAvailable-${path.replaceAll('/', '-')}`,
    'This machine may be a control plane already. To see what is there: ls /etc/kubernetes/manifests',
    async () => (!joinedBefore && (await files.stat(path)) !== undefined ? `${path} already exists` : undefined),
  );

/** etcd starts from an empty directory only: other data would belong to another member. */
const emptyDirectory = ({ files, joinedBefore }: Machine, path: string): Check =>
  error(`DirAvailable-${path.replaceAll('/', '-')}`, `If the data is not needed: rm -r ${path}`, async () => {
    const names = (await files.list(path)) ?? [];
    return !joinedBefore && names.length > 0 ? `${path} is not empty: ${names.slice(0, 5).join(', ')}` : undefined;
  });

const externalEtcdFiles = ({ files, downloads }: Machine, { caFile, certFile, keyFile }: ExternalEtcd): Check[] =>
  [caFile, certFile, keyFile]
    .filter((path) => path !== '' && !downloads)
    .map((path) =>
      error('ExternalEtcdClientCertificates', `Copy it from another control plane to ${path}.`, async () =>
        (await files.stat(path)) === undefined
          ? `${path}, which the ClusterConfiguration names for the external etcd, does not exist`
          : undefined,
      ),
    );

/** kubeadm compares its own release. That of the kubelet stands for it. */
const knownRelease = ({ kubeletVersion }: Machine, { version }: ControlPlaneSettings): Check => ({
  name: 'KubernetesVersion',
  severity: 'warning',
  hint: 'Upgrade the kubelet of this machine to the release of the cluster.',
  async run() {
    if (kubeletVersion === undefined || !(minorOf(version) > minorOf(kubeletVersion))) return undefined;
    return `the control plane will have ${version}, and the kubelet of this machine has ${kubeletVersion}`;
  },
});

/** Calls of the API server to Services and Pods must not go through a proxy. */
const subnetProxies = ({ web }: Machine, { serviceSubnet, podSubnet = '' }: ControlPlaneSettings): Check[] =>
  [...serviceSubnet.split(','), ...podSubnet.split(',')].filter(Boolean).map((subnet) => ({
    name: 'HTTPProxyCIDR',
    severity: 'warning',
    hint: `Exclude the subnet from the proxy: export NO_PROXY=$NO_PROXY,${subnet}`,
    async run() {
      const [address = ''] = subnet.split('/');
      const proxy = await web.proxyOf(`https://${address.includes(':') ? `[${address}]` : address}`);
      return proxy === undefined ? undefined : `HTTPS_PROXY is ${proxy}, and NO_PROXY does not include ${subnet}`;
    },
  }));
