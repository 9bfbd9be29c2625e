import type { Runtime } from '../../sdk/ports.ts';
import type { GuardedHost } from './guarded-host.ts';

export const runtimePort = (guarded: GuardedHost): Runtime => ({
  status: (socket) => guarded.read({ kind: 'runtime', socket }),
  cgroupDriver: (socket) => guarded.read({ kind: 'cgroup-driver', socket }),
  hasRuntimeConfig: (socket) => guarded.read({ kind: 'runtime-config', socket }),
  podSandboxes: (socket) => guarded.read({ kind: 'pod-sandboxes', socket }),
  removePodSandbox: (socket, { id, namespace, name }) =>
    guarded.change({ kind: 'pod-sandbox', socket, id, pod: `${namespace}/${name}` }),
});
