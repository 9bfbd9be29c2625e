import { expect, test } from 'vitest';
import { checked } from '../helpers/joinable.ts';
import { type Case, DOCKER, docker, itFails } from '../helpers/preflight-cases.ts';

const cases: Case[] = [
  {
    check: 'Service-Docker',
    result: 'warning',
    evidence: 'systemd has no service docker',
    hint: "apt-get install docker, or your distribution's package",
    machine: docker({}, {}),
    overrides: DOCKER,
  },
  {
    check: 'Service-Docker',
    result: 'warning',
    evidence: 'the docker will not start after a reboot',
    hint: 'systemctl enable docker.service',
    machine: docker({}, { docker: { active: true, enabled: false } }),
    overrides: DOCKER,
  },
  {
    check: 'Service-Docker',
    result: 'error',
    evidence: 'the docker service is not running',
    hint: 'systemctl start docker.service',
    machine: docker({}, { docker: {} }),
    overrides: DOCKER,
  },
  {
    check: 'IsDockerSystemdCheck',
    result: 'warning',
    evidence: 'Docker uses the cgroup driver cgroupfs',
    hint: 'Put "exec-opts": ["native.cgroupdriver=systemd"] into /etc/docker/daemon.json, then: systemctl restart docker',
    machine: docker({ CgroupDriver: 'cgroupfs' }),
    overrides: DOCKER,
  },
  {
    check: 'IsDockerSystemdCheck',
    result: 'error',
    evidence: 'the cgroup driver of Docker is unknown',
    hint: 'Put "exec-opts": ["native.cgroupdriver=systemd"] into /etc/docker/daemon.json, then: systemctl restart docker',
    machine: docker({ CgroupDriver: undefined }),
    overrides: DOCKER,
  },
  {
    check: 'SystemVerification',
    result: 'warning',
    evidence: 'Docker has version 20.10.1; the newest validated version is 19.03',
    hint: 'If it does not work, use containerd: --cri-socket /run/containerd/containerd.sock',
    machine: docker({ ServerVersion: '20.10.1' }),
    overrides: DOCKER,
  },
  ...[
    ['1.9.0', 'Docker has version 1.9.0'],
    [undefined, 'Docker has an unknown version'],
  ].map(
    ([ServerVersion, evidence = '']): Case => ({
      check: 'SystemVerification',
      result: 'error',
      evidence,
      hint: 'Install Docker 19.03, or use containerd: --cri-socket /run/containerd/containerd.sock',
      machine: docker({ ServerVersion }),
      overrides: DOCKER,
    }),
  ),
  ...[
    ['vfs', 'Docker uses the storage driver vfs'],
    [undefined, 'Docker uses an unknown storage driver'],
  ].map(
    ([Driver, evidence = '']): Case => ({
      check: 'SystemVerification',
      result: 'error',
      evidence,
      hint: 'Put "storage-driver": "overlay2" into /etc/docker/daemon.json, then: systemctl restart docker',
      machine: docker({ Driver }),
      overrides: DOCKER,
    }),
  ),
];

itFails(cases);

test('every check of Docker fails if Docker does not answer', async () => {
  for (const output of [{ exitCode: 1, stderr: 'is the daemon running?' }, { stdout: 'no JSON' }]) {
    const machine = docker({});
    const outputs = { ...machine.outputs, 'docker info --format {{json .}}': output };
    const { found } = await checked({ ...machine, outputs }, DOCKER);
    expect(found.map(({ check }) => check)).toEqual(['CRI', 'IsDockerSystemdCheck', 'SystemVerification']);
    expect(found[0]?.evidence).toMatch(/^docker info .* exited with code [01]: (is the daemon running\?|no JSON)$/);
  }
});
