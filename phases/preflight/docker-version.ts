/** Checks the version and storage driver of Docker by the rules of kubeadm 1.20. */
import { type Finding, ok, problem } from './check.ts';
import type { DockerInfo } from './docker.ts';

const VALIDATED = /^(1\.1[123]\.|17\.0[369]\.|18\.0[69]\.|19\.03\.)/;
const WELL_FORMED = /^\d{2}\.\d{2}\.\d+/;
const STORAGE_DRIVERS = ['aufs', 'overlay', 'overlay2', 'devicemapper', 'zfs'];

export function dockerFindings({ ServerVersion: version = '', Driver: storage = '' }: DockerInfo): Finding[] {
  const found = `Docker has ${version === '' ? 'an unknown version' : `version ${version}`}`;
  const newer = problem(`${found}; the newest validated version is 19.03`, {
    severity: 'warning',
    hint: 'If it does not work, use containerd: --cri-socket /run/containerd/containerd.sock',
  });
  const unknown = problem(found, {
    hint: 'Install Docker 19.03, or use containerd: --cri-socket /run/containerd/containerd.sock',
  });
  const unvalidated = WELL_FORMED.test(version) ? newer : unknown;
  const versioned = VALIDATED.test(version) ? ok(found) : unvalidated;
  const stored = `Docker uses ${storage === '' ? 'an unknown storage driver' : `the storage driver ${storage}`}`;
  const hint = 'Put "storage-driver": "overlay2" into /etc/docker/daemon.json, then: systemctl restart docker';
  return [versioned, STORAGE_DRIVERS.includes(storage) ? ok(stored) : problem(stored, { hint })];
}
