/** The CRI as a service of the library with which the tests play a container runtime. */
import { create, createFileRegistry, type DescService } from '@bufbuild/protobuf';
import {
  FileDescriptorProtoSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from '@bufbuild/protobuf/wkt';
import { type ApiVersion, messages } from '../../engine/host/cri/messages.ts';
import type { Messages } from '../../engine/net/protobuf.ts';

const SCALARS: Record<string, Type> = { string: Type.STRING, bool: Type.BOOL, int32: Type.INT32 };

/**
 * `runtime.v1.RuntimeService` or that of v1alpha2, which has the same numbers; a method for each message named
 * `…Request`.
 */
export function runtimeService(version: ApiVersion, described: Messages = messages): DescService {
  const name = `runtime.${version}`;
  const typeOf = (type: string) =>
    SCALARS[type] === undefined ? { type: Type.MESSAGE, typeName: `.${name}.${type}` } : { type: SCALARS[type] };
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
