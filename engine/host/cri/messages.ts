/**
 * The messages of the CRI (Container Runtime Interface) that Joinery uses, as data. Source of names and numbers: the
 * CRI's api.proto.
 */
import { create, createFileRegistry, type DescService } from '@bufbuild/protobuf';
import {
  FileDescriptorProtoSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from '@bufbuild/protobuf/wkt';

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

type Field = [number: number, type: string, repeated?: 'repeated'];
export type Messages = Record<string, Record<string, Field>>;

/**
 * Number and type of each field; all other fields are skipped. On the wire an enum is an INT32, and a map a list of
 * entries.
 */
export const messages: Messages = {
  VersionRequest: {},
  VersionResponse: { runtime_name: [2, 'STRING'], runtime_version: [3, 'STRING'] },
  StatusRequest: { verbose: [1, 'BOOL'] },
  StatusResponse: { status: [1, 'RuntimeStatus'], info: [2, 'InfoEntry', 'repeated'] },
  RuntimeStatus: { conditions: [1, 'RuntimeCondition', 'repeated'] },
  RuntimeCondition: { type: [1, 'STRING'], status: [2, 'BOOL'], reason: [3, 'STRING'], message: [4, 'STRING'] },
  InfoEntry: { key: [1, 'STRING'], value: [2, 'STRING'] },
  RuntimeConfigRequest: {},
  RuntimeConfigResponse: { linux: [1, 'LinuxRuntimeConfiguration'] },
  LinuxRuntimeConfiguration: { cgroup_driver: [1, 'INT32'] },
  ListPodSandboxRequest: {},
  ListPodSandboxResponse: { items: [1, 'PodSandbox', 'repeated'] },
  PodSandbox: { id: [1, 'STRING'], metadata: [2, 'PodSandboxMetadata'], state: [3, 'INT32'] },
  PodSandboxMetadata: { name: [1, 'STRING'], namespace: [3, 'STRING'] },
  StopPodSandboxRequest: { pod_sandbox_id: [1, 'STRING'] },
  StopPodSandboxResponse: {},
  RemovePodSandboxRequest: { pod_sandbox_id: [1, 'STRING'] },
  RemovePodSandboxResponse: {},
};

/**
 * `runtime.v1.RuntimeService` or that of v1alpha2, which has the same numbers; a method for each message named
 * `…Request`.
 */
export function runtimeService(version: ApiVersion, described: Messages = messages): DescService {
  const name = `runtime.${version}`;
  const typeOf = (type: string) =>
    type in Type ? { type: Type[type as keyof typeof Type] } : { type: Type.MESSAGE, typeName: `.${name}.${type}` };
  const requests = Object.keys(described).filter((message) => message.endsWith('Request'));
  const file = create(FileDescriptorProtoSchema, {
    name: `${name}.proto`,
    package: name,
    syntax: 'proto3',
    messageType: Object.entries(described).map(([message, fields]) => ({
      name: message,
      field: Object.entries(fields).map(([field, [number, type, repeated]]) => ({
        name: field,
        number,
        label: repeated === undefined ? Label.OPTIONAL : Label.REPEATED,
        ...typeOf(type),
      })),
    })),
    service: [
      {
        name: 'RuntimeService',
        method: requests.map((request) => ({
          name: request.replace(/Request$/, ''),
          inputType: `.${name}.${request}`,
          outputType: `.${name}.${request.replace(/Request$/, 'Response')}`,
        })),
      },
    ],
  });
  const service = createFileRegistry(file, () => undefined).getService(`${name}.RuntimeService`);
  if (service === undefined) throw new Error(`${name} has no service`);
  return service;
}
