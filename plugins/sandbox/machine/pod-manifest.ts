/** Reads the manifest of a static Pod, with the checks of a kubelet. */
import { parse } from 'yaml';
import { isRecord, type Json } from '../objects.ts';

/** A volume of the machine. */
export interface HostPath {
  path: string;
  /** Such as `DirectoryOrCreate`; empty: no check. */
  type: string;
}

/** What the container runtime needs of a Pod. */
export interface RunnablePod {
  name: string;
  namespace: string;
  command: string[];
  mounts: { hostPath: string; mountPath: string }[];
}

export interface StaticPod extends RunnablePod {
  labels: Json;
  annotations: Json;
  image: string;
  hostPaths: HostPath[];
  /** Names of the resources that it requests. */
  requests: string[];
}

const NAME = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;
const HOST_PATH_TYPES = ['', 'DirectoryOrCreate', 'Directory', 'FileOrCreate', 'File', 'Socket'];

/** Throws an Error with the kubelet's message. The kubelet appends the name of its node to that of the Pod. */
export function readStaticPod(text: string, nodeName: string): StaticPod {
  const pod: unknown = parse(text);
  if (!isRecord(pod) || pod.apiVersion !== 'v1' || pod.kind !== 'Pod') throw new Error('expected a Pod of version v1');
  const [metadata, spec] = [recordIn(pod, 'metadata'), recordIn(pod, 'spec')];
  const name = `${textIn(metadata, 'name')}-${nodeName}`;
  if (!NAME.test(name) || name.length > 253) throw new Error(`metadata.name: Invalid value: "${name}"`);
  const hostPaths = volumesOf(spec);
  const [container, ...others] = listIn(spec, 'containers');
  if (container === undefined || others.length > 0) throw new Error('spec.containers: the stand-in runs one container');
  checkProbes(container);
  return {
    name,
    namespace: typeof metadata.namespace === 'string' ? metadata.namespace : 'default',
    labels: isRecord(metadata.labels) ? metadata.labels : {},
    annotations: isRecord(metadata.annotations) ? metadata.annotations : {},
    image: textIn(container, 'image'),
    command: wordsOf(container),
    mounts: listIn(container, 'volumeMounts', []).map((mount) => mountOf(mount, hostPaths)),
    hostPaths: [...hostPaths.values()],
    requests: requestsOf(container),
  };
}

function wordsOf(container: Json): string[] {
  textIn(container, 'name');
  const words = [container.command ?? [], container.args ?? []].flat();
  if (words.length === 0 || !words.every((word) => typeof word === 'string'))
    throw new Error('spec.containers[0].command: Invalid value: expected a list of strings');
  return words;
}

function volumesOf(spec: Json): Map<string, HostPath> {
  const volumes = new Map<string, HostPath>();
  for (const volume of listIn(spec, 'volumes', [])) {
    const name = textIn(volume, 'name');
    const { path, type = '' } = recordIn(volume, 'hostPath');
    if (volumes.has(name)) throw new Error(`spec.volumes: Duplicate value: "${name}"`);
    if (typeof path !== 'string' || !path.startsWith('/') || path.split('/').includes('..'))
      throw new Error(`spec.volumes: hostPath.path of ${name} must be an absolute path`);
    if (typeof type !== 'string' || !HOST_PATH_TYPES.includes(type))
      throw new Error(`spec.volumes: Unsupported value: "${String(type)}"`);
    volumes.set(name, { path, type });
  }
  return volumes;
}

function mountOf(mount: Json, volumes: ReadonlyMap<string, HostPath>): RunnablePod['mounts'][number] {
  const [name, mountPath] = [textIn(mount, 'name'), textIn(mount, 'mountPath')];
  const volume = volumes.get(name);
  if (volume === undefined) throw new Error(`spec.containers[0].volumeMounts: Not found: "${name}"`);
  return { hostPath: volume.path, mountPath };
}

/** A probe names a port by its number, or by the name that the container gives it. */
function checkProbes(container: Json): void {
  const names = listIn(container, 'ports', []).map(({ name }) => name);
  for (const kind of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
    const probe = container[kind];
    if (!isRecord(probe)) continue;
    const { path, port, scheme } = recordIn(probe, 'httpGet');
    const isPort =
      typeof port === 'number' ? Number.isInteger(port) && port > 0 && port < 65_536 : names.includes(port);
    if (!isPort) throw new Error(`spec.containers[0].${kind}.httpGet.port: Invalid value: ${JSON.stringify(port)}`);
    if (typeof path !== 'string' || !path.startsWith('/') || !['HTTP', 'HTTPS'].includes(String(scheme)))
      throw new Error(`spec.containers[0].${kind}.httpGet: Invalid value`);
  }
}

function requestsOf({ resources }: Json): string[] {
  const requests = isRecord(resources) && isRecord(resources.requests) ? resources.requests : {};
  return Object.keys(requests);
}

function recordIn(object: Json, field: string): Json {
  const value = object[field];
  if (!isRecord(value)) throw new Error(`${field}: Required value`);
  return value;
}

function textIn(object: Json, field: string): string {
  const value = object[field];
  if (typeof value !== 'string' || value === '') throw new Error(`${field}: Required value`);
  return value;
}

function listIn(object: Json, field: string, absent?: Json[]): Json[] {
  const value = object[field] ?? absent;
  if (!Array.isArray(value) || !value.every(isRecord)) throw new Error(`${field}: Invalid value: expected a list`);
  return value;
}
