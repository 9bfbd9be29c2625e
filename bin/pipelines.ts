/** Pipelines and environments by name (those that ship) or by file. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { PartFilter, ResolvedPipeline } from '../engine/environment/resolve.ts';
import type { TrackedValue } from '../engine/environment/tracked.ts';
import { readTrusted } from '../engine/host/trusted.ts';
import { loadPipeline, type Pipeline } from '../engine/pipeline/load.ts';
import type { PlanSource } from '../engine/pipeline/plan.ts';
import { fail, type HostFacts, isJoinError, parseYaml } from '../engine/sdk/index.ts';

export const DEFAULT_PIPELINE = 'join-worker';

/** YAML files of the plugins that are loaded, by name. */
export const pluginFiles = { pipelines: new Map<string, string>(), environments: new Map<string, string>() };

/**
 * `name` is a path where it has a slash or ends in .yaml; else one of `pipelines/`, or of a plugin that is loaded. A file decides
 * what is run here, so only its owner may be able to change it. E_PIPELINE_FILE, E_FILE_UNTRUSTED, E_PIPELINE.
 */
export function openPipeline(root: string, name: string): Pipeline {
  const { file, text } = readNamed(root, 'pipelines', name);
  return { ...loadPipeline(file, text), ...placeOf(name, []) };
}

/** Paths of plugins begin at the pipeline's file; where that ships with Joinery, at the last environment that does not. */
function placeOf(name: string, environments: readonly string[]): Pick<Pipeline, 'place'> {
  const files = [...environments.map((file) => ({ file, words: `--env ${file}` })), { file: name, words: name }];
  const last = files.filter(({ file }) => isFile(file)).at(-1);
  return last === undefined ? {} : { place: { folder: dirname(resolve(last.file)), words: last.words } };
}

/** As it is without the parts that are for some machines only, or for one machine. */
export type Layered = (host?: HostFacts) => Pipeline;

/** A pipeline with environments laid over it. E_ENVIRONMENT_FILE, and what `openPipeline` throws. */
export async function openLayered(root: string, name: string, environments: readonly string[]): Promise<Layered> {
  if (environments.length === 0) {
    const pipeline = openPipeline(root, name);
    return () => pipeline;
  }
  const tracked = await openTracked(root, name, environments);
  return (host) => (host === undefined ? tracked.resolve() : tracked.resolveFor(host)).pipeline;
}

/** A pipeline and environments as they are written, each value with its place; lazily loaded, since most runs have none. */
export async function openTracked(root: string, name: string, names: readonly string[]): Promise<Trackable> {
  const [{ loadEnvironment, readTracked }, { hostParts, loadJsonPatch, partsFor, resolvePipeline }] = await Promise.all(
    [import('../engine/environment/load.ts'), import('../engine/environment/resolve.ts')],
  );
  const { file, text } = readNamed(root, 'pipelines', name);
  const base = readTracked(file, text);
  const environments = names.map((each) => {
    const read = readNamed(root, 'environments', each);
    return loadEnvironment(lastingName(each), read.file, read.text);
  });
  const patcher = await loadJsonPatch(environments);
  const place = placeOf(name, names);
  const placed = (resolved: ResolvedPipeline): ResolvedPipeline => ({
    ...resolved,
    pipeline: { ...resolved.pipeline, ...place },
  });
  return {
    parts: environments.flatMap(({ tracked }) => hostParts(tracked)),
    resolve: (applies) => placed(resolvePipeline(base, environments, patcher, applies)),
    resolveFor: (host) => placed(resolvePipeline(base, environments, patcher, partsFor(host))),
  };
}

export interface Trackable {
  /** What the environments say for some machines only. */
  parts: readonly TrackedValue[];
  /** With those of them that are wanted; left out, with none. */
  resolve(applies?: PartFilter): ResolvedPipeline;
  resolveFor(host: HostFacts): ResolvedPipeline;
}

function readNamed(root: string, folder: keyof typeof pluginFiles, name: string): { file: string; text: string } {
  const path = isFile(name) ? name : (pluginFiles[folder].get(name) ?? join(root, folder, `${name}.yaml`));
  try {
    return isFile(name)
      ? { file: name, text: readTrusted(path) }
      : { file: basename(path), text: readFileSync(path, 'utf8') };
  } catch (error) {
    if (isJoinError(error)) throw error;
    const facts = { file: name, what: (error as Error).message };
    if (folder === 'pipelines') throw fail('E_PIPELINE_FILE', facts, error);
    throw fail('E_ENVIRONMENT_FILE', { ...facts, shipped: shippedNames(root, folder) }, error);
  }
}

export const shippedNames = (root: string, folder: 'pipelines' | 'environments'): string[] =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => basename(name, '.yaml'))
    .sort();

/** What a plan of it was made of. `name` is what it was called on the command line. */
export const sourceOf = ({ digest, environments }: Pipeline, name: string): PlanSource => ({
  ...{ kind: 'pipeline', name: lastingName(name), digest },
  ...(environments.length === 0 ? {} : { environments }),
});

/** Name and description of each that ships. */
export const shippedDocuments = (root: string, folder: 'pipelines' | 'environments') =>
  shippedNames(root, folder).map((name) => {
    const { metadata } = parseYaml(readNamed(root, folder, name).text) as { metadata: { description?: string } };
    return { name, description: metadata.description ?? '' };
  });

/** The name by which it is found again, from wherever. */
export const lastingName = (name: string): string => (isFile(name) ? resolve(name) : name);

/** A pipeline's file, and not the name of one that ships. */
export const isFile = (name: string): boolean => name.includes('/') || /\.ya?ml$/.test(name);
