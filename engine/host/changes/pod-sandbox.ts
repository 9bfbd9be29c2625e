/** The removal of a Pod sandbox, with its containers, from the container runtime. */
import type { ChangeKind } from './kind.ts';

export interface PodSandboxChange {
  kind: 'pod-sandbox';
  socket: string;
  id: string;
  /** `namespace/name` */
  pod: string;
}

export interface PodSandboxDescription {
  kind: 'pod-sandbox';
  pod: string;
}

export const podSandbox: ChangeKind<PodSandboxChange, PodSandboxDescription, never> = {
  subject: ({ pod }) => `Pod ${pod}`,
  text: ({ pod }) => `remove Pod ${pod} from the container runtime`,
  check: (_, permissions) => permissions.require(permissions.declares('runtime'), 'remove a Pod sandbox'),
  describe: ({ kind, pod }) => ({ kind, pod }),
  async apply({ socket, id }, { runtime }, signal) {
    await (await runtime()).removePodSandbox(socket, id, signal);
  },
};
