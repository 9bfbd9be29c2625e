/** Checks the container runtime: over the CRI, or for Docker through the docker command. */
import { findCriSocket, socketPath } from '../../engine/node/index.ts';
import { isJoinError } from '../../engine/sdk/index.ts';
import { type Check, type Inputs, ok, problem } from './check.ts';
import { isDocker } from './docker.ts';
import { serviceFindings } from './services.ts';

const runtimeAnswers: Check = {
  name: 'CRI',
  severity: 'error',
  passesIf:
    'the container runtime answers over the CRI (`runtime.v1`; up to 1.25, also `v1alpha2`) and is ready; ' +
    'Docker answers to `docker info`',
  hint: 'Read the log of the container runtime: journalctl -u containerd -n 50',
  async run({ files, runtime, docker, inputs, holds, kubeletVersion }) {
    if (isDocker(inputs.criSocket)) return ok(`Docker ${(await docker()).ServerVersion} answers`);
    const socket = await findCriSocket({ files, runtime }, inputs.criSocket);
    const { name, version, apiVersion, ready, message } = await runtime.status(socket);
    const found = `${name} ${version} answers at ${socketPath(socket)} (CRI ${apiVersion})`;
    if (!ready) return problem(`${found}, but is not ready: ${message}`);
    if (apiVersion === 'v1' || !(await holds('runtimeV1Only'))) return ok(found);
    return problem(`${found}, and a kubelet ${await kubeletVersion()} speaks only CRI v1`, {
      hint: 'Install a newer container runtime, such as containerd 1.6 or CRI-O 1.20.',
    });
  },
};

const runtimeConfig: Check = {
  name: 'ContainerRuntimeVersion',
  severity: 'error',
  addedBy: 'runtimeVersionCheck',
  passesIf: 'the container runtime has the call `RuntimeConfig` (else a warning), which later kubelets require',
  hint: 'Install a newer container runtime, such as containerd 2.0 or CRI-O 1.28: later kubelets require it.',
  async run({ files, runtime, inputs }) {
    const socket = await findCriSocket({ files, runtime }, inputs.criSocket);
    const found = `the container runtime at ${socketPath(socket)}`;
    try {
      if (await runtime.hasRuntimeConfig(socket)) return ok(`${found} has the call RuntimeConfig`);
    } catch (error) {
      if (isJoinError(error) && error.code === 'E_CRI_UNREACHABLE') return []; // the check CRI reports it
      throw error;
    }
    return problem(`${found} does not have the call RuntimeConfig`, { severity: 'warning' });
  },
};

export const runtimeChecks = ({ criSocket }: Inputs): Check[] => [
  runtimeAnswers,
  { ...runtimeConfig, applies: !isDocker(criSocket) },
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
    droppedBy: 'dockerDriverIgnored',
    applies: isDocker(criSocket),
    passesIf: "with Docker's socket: the cgroup driver is systemd (an error if it is unknown)",
    hint:
      'Put "exec-opts": ["native.cgroupdriver=systemd"] into /etc/docker/daemon.json, then: systemctl restart ' +
      'docker',
    async run({ docker }) {
      const { CgroupDriver: driver } = await docker();
      if (driver === undefined) return problem('the cgroup driver of Docker is unknown', { severity: 'error' });
      const found = `Docker uses the cgroup driver ${driver}`;
      return driver === 'systemd' ? ok(found) : problem(found);
    },
  },
];
