/** Directories and files of the machine that components get to see. Source: kubeadm, phases/controlplane/volumes.go. */
import { type Component, type ControlPlaneSettings, type HostPathMount, holds } from '../../engine/node/index.ts';

const CA_CERTS = '/etc/ssl/certs';
export const FLEX_VOLUMES = '/usr/libexec/kubernetes/kubelet-plugins/volume/exec';

type PathType = 'DirectoryOrCreate' | 'FileOrCreate';

export const readOnlyMount = (name: string, path: string, pathType: PathType = 'DirectoryOrCreate'): HostPathMount => ({
  name,
  hostPath: path,
  mountPath: path,
  readOnly: true,
  pathType,
});

/** Directories with CA certificates that only some distributions have. */
export function optionalCaDirectories(version: string): HostPathMount[] {
  const ofRedHat = holds('twoPkiDirectories', version)
    ? [readOnlyMount('etc-pki-ca-trust', '/etc/pki/ca-trust'), readOnlyMount('etc-pki-tls-certs', '/etc/pki/tls/certs')]
    : [readOnlyMount('etc-pki', '/etc/pki')];
  return [
    ...ofRedHat,
    readOnlyMount('etc-ca-certificates', '/etc/ca-certificates'),
    readOnlyMount('usr-share-ca-certificates', '/usr/share/ca-certificates'),
    readOnlyMount('usr-local-share-ca-certificates', '/usr/local/share/ca-certificates'),
  ];
}

/** Those of the API server and the controller manager. */
export const certificateMounts = (certificatesDir: string, optional: readonly HostPathMount[]): HostPathMount[] => [
  readOnlyMount('ca-certs', CA_CERTS),
  readOnlyMount('k8s-certs', certificatesDir),
  ...optional,
];

/** The directories of the files for an external etcd that no other mount covers. */
export function externalEtcdMounts(
  { etcd }: ControlPlaneSettings,
  certificatesDir: string,
  optional: readonly HostPathMount[],
): HostPathMount[] {
  if ('local' in etcd) return [];
  const { caFile, certFile, keyFile } = etcd.external;
  const covered = [CA_CERTS, certificatesDir, ...optional.map(({ hostPath }) => hostPath)];
  const directories = [...new Set([caFile, certFile, keyFile].filter((file) => file !== '').map(directoryOf))].sort();
  const needed = directories.filter((directory) => !covered.some((path) => isWithin(directory, path)));
  const outer = needed.filter(
    (directory) => !needed.some((other) => other !== directory && isWithin(directory, other)),
  );
  return outer.map((directory, index) => readOnlyMount(`etcd-certs-${index}`, directory));
}

const directoryOf = (file: string): string => file.slice(0, file.lastIndexOf('/')) || '/';
const isWithin = (path: string, directory: string): boolean => path === directory || path.startsWith(`${directory}/`);

/** The mounts sorted by name; a volume of the user replaces the one of its name. */
export function withExtra(mounts: readonly HostPathMount[], { extraVolumes }: Component): HostPathMount[] {
  const own = mounts.filter(({ name }) => !extraVolumes.some((extra) => extra.name === name));
  return [...own, ...extraVolumes].sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)));
}
