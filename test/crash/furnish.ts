import { chmod, chown, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A machine that was in use: it has all kinds of files that a join replaces, with unusual modes and owners. */
export async function furnishUsed(root: string): Promise<void> {
  await rm(join(root, 'etc/systemd/system/kubelet.service.d'), { recursive: true });
  await mkdir(join(root, 'etc/kubernetes'));
  await writeFile(join(root, 'etc/kubernetes/kubelet.conf'), 'an old one\n');
  await chmod(join(root, 'etc/kubernetes/kubelet.conf'), 0o640);
  if (process.getuid?.() === 0) await chown(join(root, 'etc/kubernetes/kubelet.conf'), 1234, 4321);
  const pki = join(root, 'var/lib/kubelet/pki');
  await mkdir(pki, { recursive: true });
  await chmod(pki, 0o751);
  await symlink('/nowhere', join(pki, 'kubelet-client-current.pem'));
  await writeFile(join(pki, 'kubelet.crt'), 'an old one too\n');
}

/** One whose kubelet keeps its things on another disk, by a link. */
export async function furnishLinked(root: string): Promise<void> {
  await rm(join(root, 'etc/systemd/system/kubelet.service.d/10-kubeadm.conf'));
  await chmod(join(root, 'etc/systemd/system/kubelet.service.d'), 0o750);
  await mkdir(join(root, 'data/kubelet'), { recursive: true });
  await symlink('../../data/kubelet', join(root, 'var/lib/kubelet'));
}
