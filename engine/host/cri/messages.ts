/**
 * The messages of the CRI (Container Runtime Interface) that Joinery uses, as data. Source of names and numbers: the
 * CRI's api.proto.
 */
import type { Messages } from '../../net/protobuf.ts';

export type ApiVersion = 'v1' | 'v1alpha2';

/** The answer to each call. A missing text is empty, a missing number is 0, a missing message is undefined. */
export interface Answers {
  /** Undefined if the runtime does not speak this version of the CRI. */
  Version: { runtimeName: string; runtimeVersion: string } | undefined;
  Status: {
    status?: { conditions: { type: string; status: boolean; reason: string; message: string }[] };
    info: { key: string; value: string }[];
  };
  /**
   * Driver 0 is systemd, 1 is cgroupfs. Undefined if the runtime does not know the call, which came with Kubernetes
   * 1.28.
   */
  RuntimeConfig: { linux?: { cgroupDriver: number } } | undefined;
  /** State 0 is ready, 1 is not. */
  ListPodSandbox: { items: { id: string; metadata?: { name: string; namespace: string }; state: number }[] };
  /** Undefined if there is no such sandbox. */
  StopPodSandbox: object | undefined;
  RemovePodSandbox: object | undefined;
}
export type Method = keyof Answers;

/** The request and the answer of each call, and what they contain. All other fields are skipped. */
export const messages: Messages = {
  VersionRequest: {},
  VersionResponse: { runtimeName: [2, 'string'], runtimeVersion: [3, 'string'] },
  StatusRequest: { verbose: [1, 'bool'] },
  StatusResponse: { status: [1, 'RuntimeStatus'], info: [2, 'InfoEntry', 'repeated'] },
  RuntimeStatus: { conditions: [1, 'RuntimeCondition', 'repeated'] },
  RuntimeCondition: { type: [1, 'string'], status: [2, 'bool'], reason: [3, 'string'], message: [4, 'string'] },
  InfoEntry: { key: [1, 'string'], value: [2, 'string'] },
  RuntimeConfigRequest: {},
  RuntimeConfigResponse: { linux: [1, 'LinuxRuntimeConfiguration'] },
  LinuxRuntimeConfiguration: { cgroupDriver: [1, 'int32'] },
  ListPodSandboxRequest: {},
  ListPodSandboxResponse: { items: [1, 'PodSandbox', 'repeated'] },
  PodSandbox: { id: [1, 'string'], metadata: [2, 'PodSandboxMetadata'], state: [3, 'int32'] },
  PodSandboxMetadata: { name: [1, 'string'], namespace: [3, 'string'] },
  StopPodSandboxRequest: { podSandboxId: [1, 'string'] },
  StopPodSandboxResponse: {},
  RemovePodSandboxRequest: { podSandboxId: [1, 'string'] },
  RemovePodSandboxResponse: {},
};
