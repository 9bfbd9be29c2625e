/** The messages of the CRI (Container Runtime Interface) that we use, as data. Source of names and numbers: the CRI's api.proto. */
import type { Messages } from './protobuf.ts';

export type ApiVersion = 'v1' | 'v1alpha2';

/** The answer to each call. A text that the runtime leaves out is empty, a number 0, a message undefined. */
export interface Answers {
  /** Undefined where this version of the CRI is not spoken. */
  Version: { runtimeName: string; runtimeVersion: string } | undefined;
  Status: {
    status?: { conditions: { type: string; status: boolean; reason: string; message: string }[] };
    info: { key: string; value: string }[];
  };
  /** Driver 0 is systemd, 1 is cgroupfs. Undefined where the call is not known yet: it came with Kubernetes 1.28. */
  RuntimeConfig: { linux?: { cgroupDriver: number } } | undefined;
  /** State 0 is ready, 1 is not. */
  ListPodSandbox: { items: { id: string; metadata?: { name: string; namespace: string }; state: number }[] };
  /** Undefined where there is no such sandbox. */
  StopPodSandbox: object | undefined;
  RemovePodSandbox: object | undefined;
}
export type Method = keyof Answers;

/** The names are those of api.proto, in camel case. On the wire an enum is an INT32, and a map a list of entries; v1alpha2 has the same numbers. */
export const messages: Messages = {
  VersionRequest: {},
  VersionResponse: { runtimeName: [2, 'STRING'], runtimeVersion: [3, 'STRING'] },
  StatusRequest: { verbose: [1, 'BOOL'] },
  StatusResponse: { status: [1, 'RuntimeStatus'], info: [2, 'InfoEntry', 'repeated'] },
  RuntimeStatus: { conditions: [1, 'RuntimeCondition', 'repeated'] },
  RuntimeCondition: { type: [1, 'STRING'], status: [2, 'BOOL'], reason: [3, 'STRING'], message: [4, 'STRING'] },
  InfoEntry: { key: [1, 'STRING'], value: [2, 'STRING'] },
  RuntimeConfigRequest: {},
  RuntimeConfigResponse: { linux: [1, 'LinuxRuntimeConfiguration'] },
  LinuxRuntimeConfiguration: { cgroupDriver: [1, 'INT32'] },
  ListPodSandboxRequest: {},
  ListPodSandboxResponse: { items: [1, 'PodSandbox', 'repeated'] },
  PodSandbox: { id: [1, 'STRING'], metadata: [2, 'PodSandboxMetadata'], state: [3, 'INT32'] },
  PodSandboxMetadata: { name: [1, 'STRING'], namespace: [3, 'STRING'] },
  StopPodSandboxRequest: { podSandboxId: [1, 'STRING'] },
  StopPodSandboxResponse: {},
  RemovePodSandboxRequest: { podSandboxId: [1, 'STRING'] },
  RemovePodSandboxResponse: {},
};
