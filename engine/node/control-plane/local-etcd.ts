/** The etcd member of this machine, as its static Pods describe it. They are there whichever tool made them. */
import { dirname } from 'node:path/posix';
import type { Files } from '../../sdk/ports.ts';
import { paths } from '../paths.ts';
import { etcdPeerUrl } from './etcd.ts';
import { type Manifest, readManifest } from './manifest.ts';

export interface LocalEtcdMember {
  peerUrl: string;
  /** `https://host:port` at which this member can be reached. Empty if its manifest is gone. */
  clientUrls: string[];
  /** The directory above that of the certificates of etcd. */
  certificatesDir: string;
  /** Undefined if the manifest of etcd is gone. */
  dataDir: string | undefined;
}

/** Undefined if this machine is not a member of an etcd. Throws an Error of one line that names the manifest. */
export async function localEtcdMember(files: Files): Promise<LocalEtcdMember | undefined> {
  const etcd = await readManifest(files, 'etcd');
  if (etcd !== undefined) return memberOf(etcd);
  const apiServer = await readManifest(files, 'kube-apiserver');
  return apiServer === undefined ? undefined : memberBeside(apiServer);
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
