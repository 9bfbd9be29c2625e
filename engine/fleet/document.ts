/** YAML text → a checked fleet, or E_FLEET with every problem of the document and of its hosts. */
import { dirname, resolve } from 'node:path';
import schema from '../../schemas/fleet.schema.json' with { type: 'json' };
import { durationMs } from '../documents/durations.ts';
import type { Problems } from '../documents/problems.ts';
import { readDocument } from '../documents/read.ts';
import { checkShape } from '../documents/shape.ts';
import { fail, isJoinError, type Problem } from '../sdk/errors.ts';
import type { Fleet, OnBudgetExceeded, WaveSize } from './fleet.ts';
import {
  checkTransport,
  documentPath,
  fromFolder,
  type HostShape,
  hostOf,
  mergedTransport,
  type PlacedHost,
  type TransportShape,
} from './host-shape.ts';
import { HOSTS_MAX, type HostsSource, hostsIn, readHosts } from './hosts.ts';
import { parseProceedIf } from './proceed.ts';
import { wavesOf } from './waves.ts';

/** A document that satisfies `schemas/fleet.schema.json`. */
interface FleetShape {
  metadata: { name: string };
  cluster: { kubeconfig: string };
  transport?: TransportShape;
  hosts: HostShape[] | HostsSource;
  pipeline: string;
  controlPlanePipeline: string;
  environments: string[];
  rollout: {
    waves: (number | string)[];
    maxParallel: number;
    failureBudget: number | string;
    onBudgetExceeded: OnBudgetExceeded;
    soak: string;
    proceedIf?: string;
  };
  token: { ttl: string };
  approval: Fleet['approval'];
}

/** Inputs of the pipelines that ship which hold secrets. The fleet sets the token itself. */
const SECRET_INPUTS = ['token', 'discoveryToken', 'tlsBootstrapToken', 'certificateKey'];

/** `file` is the path of the document. E_FLEET. */
export async function loadFleet(file: string, text: string): Promise<Fleet> {
  try {
    return await load(file, text);
  } catch (error) {
    if (!isJoinError(error) || error.code !== 'E_PIPELINE') throw error;
    throw fail('E_FLEET', error.facts as { problems: Problem[] });
  }
}

async function load(file: string, text: string): Promise<Fleet> {
  const { value, problems } = readDocument(file, text);
  checkShape(schema, value, problems);
  problems.throwIfAny();
  const shape = value as FleetShape;
  const folder = dirname(resolve(file));
  const { transport = {} } = shape;
  if (shape.transport !== undefined)
    checkTransport(transport, transport, (path, message) => problems.at(['transport', ...path], message, 'transport'));
  const hosts = await placedHosts(shape, folder, problems);
  checkHosts(hosts, transport, problems);
  checkRollout(shape, hosts.length, problems);
  problems.throwIfAny();
  return fleetOf(shape, hosts, folder);
}

async function placedHosts({ hosts }: FleetShape, folder: string, problems: Problems): Promise<PlacedHost[]> {
  if (Array.isArray(hosts))
    return hosts.map((host, index) => ({ host, placeOf: (path) => problems.placeOf(['hosts', index, ...path]) }));
  if ((hosts.file === undefined) === (hosts.command === undefined)) {
    problems.at(['hosts'], 'must have either file or command', 'hosts');
    return [];
  }
  const place = hosts.file === undefined ? ['hosts', 'command'] : ['hosts', 'file'];
  let source: { name: string; text: string };
  try {
    source = await readHosts(hosts, folder);
  } catch (error) {
    problems.at(place, (error as Error).message, 'hosts');
    return [];
  }
  const read = hostsIn(source.name, source.text, hosts);
  for (const key of read.unknown) problems.at(['hosts', key], `the inventory has no group ${hosts[key]}`, 'hosts');
  problems.addAll(read.problems);
  if (read.problems.count + read.unknown.length === 0 && (read.hosts.length === 0 || read.hosts.length > HOSTS_MAX))
    problems.at(place, `has ${read.hosts.length} hosts: a fleet has at least 1, and at most ${HOSTS_MAX}`, 'hosts');
  return read.hosts;
}

function checkHosts(hosts: readonly PlacedHost[], transport: TransportShape, problems: Problems): void {
  const seen = { name: new Map<string, string>(), address: new Map<string, string>() };
  for (const { host, placeOf } of hosts) {
    const report = (path: readonly (string | number)[], message: string) =>
      problems.atPlace(placeOf(path), message, 'host');
    const { name, address = name } = host;
    if (seen.name.has(name)) report(['name'], `two hosts have the name ${name}`);
    seen.name.set(name, name);
    const merged = mergedTransport(transport, host.transport);
    if (host.transport !== undefined)
      checkTransport(host.transport, merged, (path, message) => report(['transport', ...path], message));
    const target = targetOf(merged, name, address);
    const other = seen.address.get(target);
    if (other !== undefined && other !== name) report([], `${name} and ${other} are the same machine: ${target}`);
    seen.address.set(target, name);
    for (const secret of SECRET_INPUTS)
      if (Object.hasOwn(host.variables, secret))
        report(['variables', secret], `${secret} is a secret: the fleet gives each machine a token of its own`);
  }
}

/** What distinguishes a machine from the others, for people. */
function targetOf(
  { kind = 'ssh', port, command = [], root = '' }: TransportShape,
  name: string,
  address: string,
): string {
  const filled = (text: string): string => text.replaceAll('{name}', name).replaceAll('{address}', address);
  if (kind === 'exec') return command.map(filled).join(' ');
  if (kind === 'local') return filled(root);
  return port === undefined ? address.toLowerCase() : `${address.toLowerCase()} port ${port}`;
}

function checkRollout({ rollout }: FleetShape, hosts: number, problems: Problems): void {
  const sizes = rollout.waves.map(waveSize);
  const early = sizes.indexOf('rest');
  if (early !== -1 && early < sizes.length - 1)
    problems.at(['rollout', 'waves', early], 'rest must be the last wave', 'waves');
  const covered = wavesOf(Array.from({ length: hosts }), sizes).flat().length;
  if (covered < hosts)
    problems.at(['rollout', 'waves'], `the waves have ${covered} of ${hosts} hosts: add rest at the end`, 'waves');
  if (rollout.proceedIf === undefined) return;
  try {
    parseProceedIf(rollout.proceedIf);
  } catch (error) {
    problems.at(['rollout', 'proceedIf'], (error as Error).message, 'expression');
  }
}

function waveSize(size: number | string): WaveSize {
  if (typeof size === 'number') return { hosts: size };
  return size === 'rest' ? 'rest' : { percent: Number.parseInt(size, 10) };
}

function fleetOf(shape: FleetShape, hosts: readonly PlacedHost[], folder: string): Fleet {
  const { transport = {}, rollout, environments, approval } = shape;
  const { kubeconfig } = shape.cluster;
  const { failureBudget } = rollout;
  const named = (name: string): string => documentPath(folder, name);
  return {
    name: shape.metadata.name,
    kubeconfig: fromFolder(folder, kubeconfig),
    hosts: hosts.map(({ host }) => hostOf(host, transport, folder)),
    pipelines: { worker: named(shape.pipeline), 'control-plane': named(shape.controlPlanePipeline) },
    environments: environments.map(named),
    rollout: {
      waves: rollout.waves.map(waveSize),
      maxParallel: rollout.maxParallel,
      failureBudget:
        typeof failureBudget === 'number' ? { hosts: failureBudget } : { percent: Number.parseInt(failureBudget, 10) },
      soakMs: durationMs(rollout.soak),
      proceedIf: rollout.proceedIf,
      onBudgetExceeded: rollout.onBudgetExceeded,
    },
    tokenTtlMs: durationMs(shape.token.ttl),
    approval,
  };
}
