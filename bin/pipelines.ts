/** Pipelines by name (those that ship) or by file. */
import { readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { readTrusted } from '../engine/host/trusted.ts';
import { loadPipeline, type Pipeline } from '../engine/pipeline/load.ts';
import { fail, isJoinError } from '../engine/sdk/index.ts';

export const DEFAULT_PIPELINE = 'join-worker';

/** YAML files of the plugins that are loaded, by name. */
export const pluginFiles = { pipelines: new Map<string, string>(), environments: new Map<string, string>() };

/**
 * `name` is a path where it has a slash or ends in .yaml; else one of `pipelines/`, or of a plugin that is loaded. A file decides
 * what is run here, so only its owner may be able to change it. E_PIPELINE_FILE, E_FILE_UNTRUSTED, E_PIPELINE.
 */
export function openPipeline(root: string, name: string): Pipeline {
  const path = isFile(name) ? name : (pluginFiles.pipelines.get(name) ?? join(root, 'pipelines', `${name}.yaml`));
  let text: string;
  try {
    text = isFile(name) ? readTrusted(path) : readFileSync(path, 'utf8');
  } catch (error) {
    if (isJoinError(error)) throw error;
    throw fail('E_PIPELINE_FILE', { file: name, what: (error as Error).message }, error);
  }
  return loadPipeline(isFile(name) ? name : basename(path), text);
}

/** The name by which it is found again, from wherever. */
export const lastingName = (name: string): string => (isFile(name) ? resolve(name) : name);

/** A pipeline's file, and not the name of one that ships. */
export const isFile = (name: string): boolean => name.includes('/') || /\.ya?ml$/.test(name);
