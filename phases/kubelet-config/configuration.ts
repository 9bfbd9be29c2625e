/** Adds kubeadm's defaults to the cluster's KubeletConfiguration. Source: kubeadm, componentconfigs/kubelet. */
import { stringify } from 'yaml';
import { paths } from '../../engine/node/index.ts';
import type { Files, Services } from '../../engine/sdk/index.ts';

const RESOLVED_CONF = '/run/systemd/resolve/resolv.conf';

export async function withDefaults(
  ports: { files: Files; services: Services },
  configuration: object,
): Promise<Record<string, unknown>> {
  const resolvConf = (await usesResolved(ports)) ? { resolvConf: RESOLVED_CONF } : {};
  return { staticPodPath: paths.manifests, ...resolvConf, ...configuration, rotateCertificates: true };
}

/** Sorted and unindented like Go's marshaller, so a machine that kubeadm joined sees no change. */
export const yamlOf = (document: object): string =>
  stringify(document, { sortMapEntries: true, indentSeq: false, lineWidth: 0 });

/** With systemd-resolved, /etc/resolv.conf names a stub resolver that Pods cannot reach. */
const usesResolved = async ({ files, services }: { files: Files; services: Services }): Promise<boolean> =>
  (await files.stat(RESOLVED_CONF)) !== undefined && (await services.status('systemd-resolved')).active;
