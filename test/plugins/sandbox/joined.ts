/** A scratch machine with the files that a join leaves, for tests of what comes after. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Sandbox } from '../../../plugins/sandbox/index.ts';
import { makeMachine } from '../../../plugins/sandbox/machine/machine.ts';
import type { ConfigMap } from '../../../plugins/sandbox/objects.ts';
import { nodeClient } from './client.ts';

const KUBELET_MAIN = fileURLToPath(new URL('../../../plugins/sandbox/machine/kubelet-main.ts', import.meta.url));

export async function emptyMachine(hostName: string): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'machine-'));
  await makeMachine(root, { hostName, kubelet: [process.execPath, '--import', 'tsx', KUBELET_MAIN] });
  return root;
}

export async function lay(root: string, path: string, text: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
}

export const kubeletConf = (server: string, caPem: string, pem = '/var/lib/kubelet/pki/kubelet-client-current.pem') => `
apiVersion: v1
kind: Config
clusters:
- name: default-cluster
  cluster:
    certificate-authority-data: ${Buffer.from(caPem).toString('base64')}
    server: ${server}
contexts:
- name: default-context
  context: {cluster: default-cluster, namespace: default, user: default-auth}
current-context: default-context
users:
- name: default-auth
  user:
    client-certificate: ${pem}
    client-key: ${pem}
`;

/** Puts the files of a finished join on a machine, over whatever lies there. */
export async function layJoin(sandbox: Sandbox, root: string, hostName: string): Promise<void> {
  const { cert, key } = nodeClient(sandbox, hostName.toLowerCase());
  const config = sandbox.store.get<ConfigMap>('configmaps', 'kubelet-config', 'kube-system');
  const flags = '--container-runtime-endpoint=unix:///run/containerd/containerd.sock';
  const files = {
    '/etc/hostname': `${hostName}\n`,
    '/etc/kubernetes/pki/ca.crt': sandbox.caPem,
    '/etc/kubernetes/kubelet.conf': kubeletConf(`https://${sandbox.endpoint}`, sandbox.caPem),
    '/var/lib/kubelet/config.yaml': config?.data?.kubelet ?? '',
    '/var/lib/kubelet/kubeadm-flags.env': `KUBELET_KUBEADM_ARGS="${flags}"\n`,
    '/var/lib/kubelet/pki/kubelet-client-2026-01-02-03-04-05.pem': cert + key,
  };
  await Promise.all(Object.entries(files).map(([path, text]) => lay(root, path, text)));
  const current = join(root, '/var/lib/kubelet/pki/kubelet-client-current.pem');
  await rm(current, { force: true });
  await symlink('/var/lib/kubelet/pki/kubelet-client-2026-01-02-03-04-05.pem', current);
}
