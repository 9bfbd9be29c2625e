/** Reads the object in a request's body and checks that its kind matches the URL. */
import { type Draft, isRecord, type Json } from '../objects.ts';
import type { Call } from './call.ts';
import { readProtobuf } from './protobuf.ts';
import { apiVersionOf } from './resources.ts';
import { badRequest, unsupportedMediaType } from './status.ts';

const JSON_TYPE = 'application/json';
const PROTOBUF_TYPE = 'application/vnd.kubernetes.protobuf';

export function readDraft({ request, resourceType, namespace }: Call): Draft {
  const draft = request.contentType === PROTOBUF_TYPE ? readMessage(request.body) : readJsonDraft(request);
  const { apiVersion = apiVersionOf(resourceType), kind = resourceType.kind, metadata = {} } = draft;
  const what = `${kind} in version "${apiVersion}"`;
  if (apiVersion !== apiVersionOf(resourceType) || kind !== resourceType.kind)
    throw badRequest(`${what} cannot be handled as a ${resourceType.kind}`);
  if (!isRecord(metadata)) throw badRequest(`${what} cannot be handled: metadata is not an object`);
  if ((metadata.namespace ?? namespace) !== namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  return { ...draft, metadata: namespace === '' ? metadata : { ...metadata, namespace } };
}

export function readJson(body: Buffer): Json {
  try {
    const value: unknown = JSON.parse(body.toString());
    if (isRecord(value)) return value;
  } catch {
    // Invalid JSON and JSON that is not an object get the same answer.
  }
  throw badRequest("couldn't get version/kind; json parse error");
}

function readJsonDraft({ contentType, body }: Call['request']): Draft {
  const [type = ''] = contentType.split(';');
  if (type !== '' && type !== JSON_TYPE) throw unsupportedMediaType([JSON_TYPE, PROTOBUF_TYPE]);
  return readJson(body);
}

function readMessage(body: Buffer): Draft {
  try {
    const draft = readProtobuf(body);
    if (draft !== undefined) return draft;
  } catch (error) {
    throw badRequest(String(error));
  }
  throw unsupportedMediaType([JSON_TYPE]);
}
