import type { Runtime } from '../../sdk/ports.ts';
import type { Attempt } from './attempt.ts';

export const runtimePort = (attempt: Attempt): Runtime => ({
  status: (socket) => attempt.read({ kind: 'runtime', socket }),
  cgroupDriver: (socket) => attempt.read({ kind: 'cgroup-driver', socket }),
  hasRuntimeConfig: (socket) => attempt.read({ kind: 'runtime-config', socket }),
  podSandboxes: (socket) => attempt.read({ kind: 'pod-sandboxes', socket }),
  removePodSandbox: (socket, { id, namespace, name }) =>
    attempt.change({ kind: 'pod-sandbox', socket, id, pod: `${namespace}/${name}` }),
});
