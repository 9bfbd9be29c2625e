/** Docker, as the validators of kubeadm 1.20 knew it. */
import { bad, type Finding, good } from './check.ts';
import type { DockerInfo } from './docker.ts';

const VALIDATED = /^(1\.1[123]\.|17\.0[369]\.|18\.0[69]\.|19\.03\.)/;
const WELL_FORMED = /^\d{2}\.\d{2}\.\d+/;
const STORAGE_DRIVERS = ['aufs', 'overlay', 'overlay2', 'devicemapper', 'zfs'];

export function dockerFindings({ ServerVersion: version = '', Driver: storage = '' }: DockerInfo): Finding[] {
  const found = `Docker is ${version || 'of no known version'}`;
  const newer = bad(`${found}; the newest that was validated is 19.03`, {
    severity: 'warning',
    hint: 'It may well do. If not, use containerd: --cri-socket /run/containerd/containerd.sock',
  });
  const unknown = bad(found, {
    hint: 'Install Docker 19.03, or use containerd: --cri-socket /run/containerd/containerd.sock',
  });
  const versioned = VALIDATED.test(version) ? good(found) : WELL_FORMED.test(version) ? newer : unknown;
  const stored = `Docker stores by ${storage || 'no known driver'}`;
  const hint = 'Put "storage-driver": "overlay2" into /etc/docker/daemon.json, then: systemctl restart docker';
  return [versioned, STORAGE_DRIVERS.includes(storage) ? good(stored) : bad(stored, { hint })];
}
