/** Checks the container runtime: over the CRI, or for Docker through the docker command. */
import { findCriSocket, socketPath } from '../../engine/node/index.ts';
import { type Check, type Inputs, ok, problem } from './check.ts';
import { isDocker } from './docker.ts';
import { serviceFindings } from './services.ts';

const runtimeAnswers: Check = {
  name: 'CRI',
  severity: 'error',
  passesIf:
    'the container runtime answers over the CRI (`runtime.v1`, else `v1alpha2`) and is ready; Docker answers to `docker info`',
  hint: 'Read the log of the container runtime: journalctl -u containerd -n 50',
  async run({ files, runtime, docker, inputs }) {
    if (isDocker(inputs.criSocket)) return ok(`Docker ${(await docker()).ServerVersion} answers`);
    const socket = await findCriSocket(files, inputs.criSocket);
    const { name, version, apiVersion, ready, message } = await runtime.status(socket);
    const found = `${name} ${version} answers at ${socketPath(socket)} (CRI ${apiVersion})`;
    return ready ? ok(found) : problem(`${found}, but is not ready: ${message}`);
  },
};

export const runtimeChecks = ({ criSocket }: Inputs): Check[] => [
  runtimeAnswers,
  {
    name: 'Service-Docker',
    severity: 'error',
    applies: isDocker(criSocket),
    passesIf: "with Docker's socket: the service exists, is enabled (else a warning) and running",
    hint: 'systemctl start docker.service',
    run: async ({ services }) => {
      const status = await services.status('docker');
      const down = status.exists && !status.active ? [problem('the docker service is not running')] : [];
      return [...serviceFindings('docker', status), ...down];
    },
  },
  {
    name: 'IsDockerSystemdCheck',
    severity: 'warning',
    applies: isDocker(criSocket),
    passesIf: "with Docker's socket: the cgroup driver is systemd (an error if it is unknown)",
    hint: 'Put "exec-opts": ["native.cgroupdriver=systemd"] into /etc/docker/daemon.json, then: systemctl restart docker',
    async run({ docker }) {
      const { CgroupDriver: driver } = await docker();
      if (driver === undefined) return problem('the cgroup driver of Docker is unknown', { severity: 'error' });
      const found = `Docker uses the cgroup driver ${driver}`;
      return driver === 'systemd' ? ok(found) : problem(found);
    },
  },
];
