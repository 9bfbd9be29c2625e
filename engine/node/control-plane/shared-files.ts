/** The files that all control planes share, and their keys in the Secret. Source: kubeadm, phases/copycerts. */
import type { ControlPlaneSettings } from './settings.ts';

export interface SharedFile {
  dataKey: string;
  path: string;
  mode: number;
}

const etcdFile = (field: string): string => `{clusterConfiguration.etcd.external.${field}}`;

/** Paths are templates of effects. */
export const SHARED_FILES = [
  { dataKey: 'ca.crt', path: '{certificatesDir}/ca.crt', mode: 0o644, why: "the cluster's CA" },
  { dataKey: 'ca.key', path: '{certificatesDir}/ca.key', mode: 0o600, why: 'its key' },
  {
    dataKey: 'front-proxy-ca.crt',
    path: '{certificatesDir}/front-proxy-ca.crt',
    mode: 0o644,
    why: 'the CA for calls to aggregated APIs',
  },
  { dataKey: 'front-proxy-ca.key', path: '{certificatesDir}/front-proxy-ca.key', mode: 0o600, why: 'its key' },
  { dataKey: 'sa.pub', path: '{certificatesDir}/sa.pub', mode: 0o644, why: 'public key of service accounts' },
  { dataKey: 'sa.key', path: '{certificatesDir}/sa.key', mode: 0o600, why: 'private key of service accounts' },
  { dataKey: 'etcd-ca.crt', path: '{certificatesDir}/etcd/ca.crt', mode: 0o644, why: 'the CA of etcd' },
  { dataKey: 'etcd-ca.key', path: '{certificatesDir}/etcd/ca.key', mode: 0o600, why: 'its key' },
  { dataKey: 'external-etcd-ca.crt', path: etcdFile('caFile'), mode: 0o644, why: 'the CA of an external etcd' },
  { dataKey: 'external-etcd.crt', path: etcdFile('certFile'), mode: 0o644, why: 'its client certificate' },
  { dataKey: 'external-etcd.key', path: etcdFile('keyFile'), mode: 0o600, why: 'the key of that certificate' },
] as const;

/** The files of this cluster, which has its own etcd or an external one. */
export function sharedFiles({ etcd }: ControlPlaneSettings, certificatesDir: string): SharedFile[] {
  const external = 'external' in etcd ? etcd.external : undefined;
  const ofExternal: Record<string, string> = {
    'external-etcd-ca.crt': external?.caFile ?? '',
    'external-etcd.crt': external?.certFile ?? '',
    'external-etcd.key': external?.keyFile ?? '',
  };
  return SHARED_FILES.flatMap(({ dataKey, path, mode }) => {
    if (dataKey in ofExternal) {
      const place = ofExternal[dataKey] ?? '';
      return place === '' ? [] : [{ dataKey, path: place, mode }];
    }
    if (dataKey.startsWith('etcd-') && external !== undefined) return [];
    return [{ dataKey, path: path.replace('{certificatesDir}', certificatesDir), mode }];
  });
}
