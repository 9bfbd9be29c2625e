/** The etcd member of this machine, as its static Pods describe it. They are there whichever tool made them. */
import { dirname } from 'node:path/posix';
import type { Files } from '../../sdk/ports.ts';
import { parseYaml } from '../../sdk/yaml.ts';
import { paths } from '../paths.ts';
import { etcdPeerUrl } from './etcd.ts';

export interface LocalEtcdMember {
  peerUrl: string;
  /** `https://host:port` at which this member can be reached. Empty if its manifest is gone. */
  clientUrls: string[];
  /** The directory above that of the certificates of etcd. */
  certificatesDir: string;
  /** Undefined if the manifest of etcd is gone. */
  dataDir: string | undefined;
}

interface Pod {
  spec?: {
    containers?: { name?: unknown; command?: unknown; args?: unknown }[];
    volumes?: { name?: unknown; hostPath?: { path?: unknown } }[];
  };
}

/** Undefined if this machine is not a member of an etcd. Throws an Error of one line that names the manifest. */
export async function localEtcdMember(files: Files): Promise<LocalEtcdMember | undefined> {
  const etcd = await podOf(files, 'etcd');
  if (etcd !== undefined) return memberOf(etcd);
  const apiServer = await podOf(files, 'kube-apiserver');
  return apiServer === undefined ? undefined : memberBeside(apiServer);
}

interface Manifest {
  path: string;
  pod: Pod;
  /** The last value of each argument. */
  values: ReadonlyMap<string, string>;
}

async function podOf(files: Files, component: string): Promise<Manifest | undefined> {
  const path = `${paths.manifests}/${component}.yaml`;
  const text = (await files.read(path))?.toString('utf8');
  if (text === undefined) return undefined;
  try {
    const pod = parseYaml(text) as Pod | undefined;
    const container = pod?.spec?.containers?.find(({ name }) => name === component);
    if (pod === undefined || container === undefined) throw new Error(`it has no container ${component}`);
    const words = [container.command, container.args].flat().map(String);
    const pairs = words.flatMap((word) => /^--([^=]+)=(.*)$/s.exec(word)?.slice(1, 3) ?? []);
    const values = new Map<string, string>();
    for (let index = 0; index < pairs.length; index += 2) values.set(pairs[index] ?? '', pairs[index + 1] ?? '');
    return { path, pod, values };
  } catch (error) {
    throw new Error(`${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

function memberOf({ path, pod, values }: Manifest): LocalEtcdMember {
  const [peerUrl = ''] = listOf(values.get('initial-advertise-peer-urls'));
  if (peerUrl === '') throw new Error(`${path} has no argument --initial-advertise-peer-urls`);
  // Like kubeadm: the path on the machine.
  const data = pod.spec?.volumes?.find(({ name }) => name === 'etcd-data')?.hostPath?.path;
  return {
    peerUrl,
    clientUrls: listOf(values.get('advertise-client-urls')),
    certificatesDir: aboveEtcd(values.get('trusted-ca-file')),
    dataDir: typeof data === 'string' ? data : values.get('data-dir'),
  };
}

/** A join that ended before it wrote the manifest of etcd may have added a member. */
function memberBeside({ values }: Manifest): LocalEtcdMember | undefined {
  const address = values.get('advertise-address');
  const hosts = listOf(values.get('etcd-servers')).map((url) => (URL.canParse(url) ? new URL(url).hostname : url));
  const isOwn = (host: string) => /^(127(\.\d+){3}|\[::1\]|localhost)$/.test(host) || host === address;
  if (address === undefined || hosts.length === 0 || !hosts.every(isOwn)) return undefined; // etcd is external
  const certificatesDir = aboveEtcd(values.get('etcd-cafile'));
  return { peerUrl: etcdPeerUrl(address), clientUrls: [], certificatesDir, dataDir: undefined };
}

const listOf = (value: string | undefined): string[] => (value ?? '').split(',').filter((item) => item !== '');

const aboveEtcd = (file: string | undefined): string =>
  file?.endsWith('/etcd/ca.crt') === true ? dirname(dirname(file)) : paths.pki;
