/** The container runtime, asked over the CRI; Docker, which has none, by its command. */
import { findCriSocket, socketPath } from '../../engine/node/index.ts';
import { bad, type Check, type Given, good } from './check.ts';
import { isDocker } from './docker.ts';
import { serviceFindings } from './services.ts';

const runtimeAnswers: Check = {
  name: 'CRI',
  severity: 'error',
  looks:
    'the container runtime answers over the CRI (`runtime.v1`, else `v1alpha2`) and is ready; Docker, to `docker info`',
  hint: 'The reason is its own; read on in its log: journalctl -u containerd -n 50',
  async run({ files, runtime, docker, given }) {
    if (isDocker(given.criSocket)) return good(`Docker ${(await docker()).ServerVersion} answers`);
    const socket = await findCriSocket(files, given.criSocket);
    const { name, version, apiVersion, ready, message } = await runtime.status(socket);
    const found = `${name} ${version} answers at ${socketPath(socket)} by CRI ${apiVersion}`;
    return ready ? good(found) : bad(`${found}, but is not ready: ${message}`);
  },
};

export const runtimeChecks = ({ criSocket }: Given): Check[] => [
  runtimeAnswers,
  {
    name: 'Service-Docker',
    severity: 'error',
    applies: isDocker(criSocket),
    looks: "with Docker's socket: its service is there, enabled (else a warning) and running",
    hint: 'systemctl start docker.service',
    run: async ({ services }) => {
      const status = await services.status('docker');
      const down = status.exists && !status.active ? [bad('the docker service is not running')] : [];
      return [...serviceFindings('docker', status), ...down];
    },
  },
  {
    name: 'IsDockerSystemdCheck',
    severity: 'warning',
    applies: isDocker(criSocket),
    looks: "with Docker's socket: its cgroup driver is systemd (an error where it does not say)",
    hint: 'Put "exec-opts": ["native.cgroupdriver=systemd"] into /etc/docker/daemon.json, then: systemctl restart docker',
    async run({ docker }) {
      const { CgroupDriver: driver } = await docker();
      if (driver === undefined) return bad('Docker does not say which cgroup driver it uses', { severity: 'error' });
      const found = `Docker uses the cgroup driver ${driver}`;
      return driver === 'systemd' ? good(found) : bad(found);
    },
  },
];
