/** One host of a Fleet document, from its text to the value that a rollout uses. */

import { homedir } from 'node:os';
import { resolve } from 'node:path';
import type { Place } from '../documents/place.ts';
import { defined } from '../sdk/fields.ts';
import type { Host, Role, Transport } from './fleet.ts';

export interface TransportShape {
  kind?: Transport['kind'];
  user?: string;
  port?: number;
  identityFile?: string;
  jump?: string;
  configFile?: string;
  sudo?: boolean;
  command?: string[];
  root?: string;
}

export interface HostShape {
  name: string;
  address?: string;
  transport?: TransportShape;
  role: Role;
  labels: Record<string, string>;
  environments: string[];
  variables: Record<string, string>;
}

/** A host, and where its values are written. */
export interface PlacedHost {
  host: HostShape;
  placeOf(path: readonly (string | number)[]): Place;
}

const KEYS = {
  ssh: ['user', 'port', 'identityFile', 'jump', 'configFile', 'sudo'],
  exec: ['command'],
  local: ['root'],
} as const;

export type Report = (path: readonly (string | number)[], message: string) => void;

/** Reports keys of `own` that its kind of transport does not have, and keys that `whole` lacks. */
export function checkTransport(own: TransportShape, whole: TransportShape, report: Report): void {
  const { kind = 'ssh', command, root } = whole;
  const known: readonly string[] = KEYS[kind];
  for (const key of Object.keys(own))
    if (key !== 'kind' && !known.includes(key)) report([key], `the transport ${kind} has no ${key}`);
  if (kind === 'exec' && command === undefined) report([], 'the transport exec needs command');
  if (kind === 'local' && root === undefined) report([], 'the transport local needs root');
}

/** The transport of a host: its own keys, and those of the fleet if both are of the same kind. */
export function mergedTransport(fleet: TransportShape, host: TransportShape = {}): TransportShape {
  const isOther = host.kind !== undefined && host.kind !== (fleet.kind ?? 'ssh');
  return isOther ? host : { ...fleet, ...host };
}

/** `~` is the home directory, as in a shell. An absolute path stays as it is. */
export const fromFolder = (folder: string, path: string): string =>
  resolve(folder, path.replace(/^~(?=\/)/, homedir()));

/** The name of a shipped pipeline or environment stays as it is; everything else is a file. */
export const documentPath = (folder: string, name: string): string =>
  /\/|\.ya?ml$/.test(name) ? fromFolder(folder, name) : name;

/** `folder` is where relative paths start. */
export function hostOf(shape: HostShape, fleet: TransportShape, folder: string): Host {
  const { name, address = name, role, labels, variables } = shape;
  const environments = shape.environments.map((each) => documentPath(folder, each));
  const transport = mergedTransport(fleet, shape.transport);
  return {
    name,
    address,
    transport: transportOf(transport, { name, address }, folder),
    role,
    labels,
    environments,
    variables,
  };
}

function transportOf(shape: TransportShape, host: { name: string; address: string }, folder: string): Transport {
  const { kind = 'ssh', user, port, identityFile, jump, configFile, sudo, command = [], root = '' } = shape;
  const filled = (text: string): string => text.replaceAll('{name}', host.name).replaceAll('{address}', host.address);
  if (kind === 'exec') return { kind, command: command.map(filled) };
  if (kind === 'local') return { kind, root: fromFolder(folder, filled(root)) };
  return {
    kind,
    ...defined({ user, port, jump }),
    ...defined({ identityFile: identityFile && fromFolder(folder, identityFile) }),
    ...defined({ configFile: configFile && fromFolder(folder, configFile) }),
    sudo: sudo ?? (user !== undefined && user !== 'root'),
  };
}
