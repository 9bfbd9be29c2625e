/** Pipelines and environments: shipped with Joinery, from a plugin, or from a file. */
import { existsSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { readDocument } from '../engine/documents/read.ts';
import type { PartFilter, ResolvedPipeline } from '../engine/environment/resolve.ts';
import type { TrackedValue } from '../engine/environment/tracked.ts';
import { readTrusted } from '../engine/host/trusted.ts';
import { reasonOf } from '../engine/limits/errno.ts';
import { readLimited } from '../engine/limits/read.ts';
import { LIMITS } from '../engine/limits/sizes.ts';
import { isExtension, loadPipeline, type Pipeline } from '../engine/pipeline/load.ts';
import type { PlanSource } from '../engine/pipeline/plan.ts';
import { openFilesError } from '../engine/sdk/errors.ts';
import { decodeText, didYouMean, fail, type HostFacts, isJoinError } from '../engine/sdk/index.ts';
import type { Assets } from './assets.ts';

export const DEFAULT_PIPELINE = 'join-worker';
/** The pipeline of `join run --control-plane`. */
export const CONTROL_PLANE_PIPELINE = 'join-control-plane';

/** Each kind has a folder of the same name in Joinery's package. */
export type DocumentKind = 'pipelines' | 'environments';

/** The pipeline for `host`. Without a host, it omits the parts that apply to some machines only. */
export type PipelineFor = (host?: HostFacts) => Pipeline;

/** A pipeline and its environments, with the place of each value. */
export interface TrackedPipeline {
  /** The parts of the environments that apply to some machines only. */
  parts: readonly TrackedValue[];
  /** With the parts that `applies` accepts (default: none). */
  resolve(applies?: PartFilter): ResolvedPipeline;
  resolveFor(host: HostFacts): ResolvedPipeline;
}

export class PipelineCatalog {
  readonly #assets: Assets;
  readonly #pluginFiles: Record<DocumentKind, Map<string, string>> = { pipelines: new Map(), environments: new Map() };

  constructor(assets: Assets) {
    this.#assets = assets;
  }

  /** Adds a file of a plugin. E_PLUGIN_TWICE if another plugin has one of that name. */
  addFile(kind: DocumentKind, name: string, path: string): void {
    const first = this.#pluginFiles[kind].get(name);
    if (first !== undefined)
      throw fail('E_PLUGIN_TWICE', { what: `${kind.slice(0, -1)} ${name}`, first, second: path });
    this.#pluginFiles[kind].set(name, path);
  }

  /**
   * Opens a pipeline that extends no other, without environments. A file decides what runs here, so only its owner and
   * root may be able to change it. E_PIPELINE_FILE, E_FILE_UNTRUSTED, E_PIPELINE.
   */
  open(name: string): Pipeline {
    const { file, text } = this.#read('pipelines', name);
    return { ...loadPipeline(file, text), ...placeOf(name, []) };
  }

  /** Whether the pipeline extends another. The errors of `open`. */
  extends(name: string): boolean {
    const { file, text } = this.#read('pipelines', name);
    return isExtension(file, text);
  }

  /** Opens a pipeline with its environments. E_ENVIRONMENT_FILE, and the errors of `open`. */
  async openOverlaid(name: string, environments: readonly string[]): Promise<PipelineFor> {
    if (environments.length === 0 && !this.extends(name)) {
      const pipeline = this.open(name);
      return () => pipeline;
    }
    const tracked = await this.openTracked(name, environments);
    return (host) => (host === undefined ? tracked.resolve() : tracked.resolveFor(host)).pipeline;
  }

  /** Its imports are late because most runs have no environment. */
  async openTracked(name: string, environments: readonly string[]): Promise<TrackedPipeline> {
    const [{ loadEnvironment }, { openSource }, { hostParts, loadJsonPatch, partsFor, resolvePipeline }] =
      await Promise.all([
        import('../engine/environment/load.ts'),
        import('../engine/environment/extension.ts'),
        import('../engine/environment/resolve.ts'),
      ]);
    const base = await openSource(name, {
      read: (each) => this.#read('pipelines', each),
      beside: (each, written) => this.#nameBeside(each, written),
    });
    const overlays = environments.map((each) => {
      const overlay = this.#read('environments', each);
      return loadEnvironment(lastingName(each), overlay.file, overlay.text);
    });
    const patcher = await loadJsonPatch(overlays);
    const place = placeOf(name, environments);
    const placed = (resolved: ResolvedPipeline): ResolvedPipeline => ({
      ...resolved,
      pipeline: { ...resolved.pipeline, ...place },
    });
    return {
      parts: overlays.flatMap(({ tracked }) => hostParts(tracked)),
      resolve: (applies) => placed(resolvePipeline(base, overlays, patcher, applies)),
      resolveFor: (host) => placed(resolvePipeline(base, overlays, patcher, partsFor(host))),
    };
  }

  /** A relative path in a pipeline's file starts at the folder of that file. */
  #nameBeside(name: string, written: string): string {
    const own = isFile(name) ? name : this.#pluginFiles.pipelines.get(name);
    return own === undefined || !isFile(written) || isAbsolute(written) ? written : join(dirname(own), written);
  }

  /** Names of the documents that ship with Joinery. */
  names(kind: DocumentKind): string[] {
    return this.#assets
      .names(kind)
      .filter((name) => name.endsWith('.yaml'))
      .map((name) => basename(name, '.yaml'))
      .sort();
  }

  /** Name and description of each document that ships with Joinery. */
  descriptions(kind: DocumentKind): { name: string; description: string }[] {
    return this.names(kind).map((name) => {
      const { metadata } = readDocument(name, this.#read(kind, name).text).value as {
        metadata: { description?: string };
      };
      return { name, description: metadata.description ?? '' };
    });
  }

  #read(kind: DocumentKind, name: string): { file: string; text: string } {
    try {
      if (isFile(name)) return { file: name, text: readTrusted(name) };
      const path = this.#pluginFiles[kind].get(name);
      const bytes =
        path === undefined
          ? this.#assets.read(`${kind}/${name}.yaml`)
          : readLimited(path, { bytesMax: LIMITS.text, pipes: 'refuse' });
      return { file: basename(path ?? `${name}.yaml`), text: decodeText(bytes) };
    } catch (error) {
      const ended = isJoinError(error) ? error : openFilesError(error, name);
      if (ended !== undefined) throw ended;
      const facts = { file: name, what: reasonOf(error) };
      const known = [...this.names(kind), ...this.#pluginFiles[kind].keys()];
      if (!isFile(name)) facts.what += existsSync(name) ? `; for the file, type ./${name}` : didYouMean(name, known);
      if (kind === 'pipelines') throw fail('E_PIPELINE_FILE', facts, error);
      throw fail('E_ENVIRONMENT_FILE', { ...facts, shipped: this.names(kind) }, error);
    }
  }
}

/** Whether `name` is a path, rather than the name of a document of Joinery or of a plugin. */
export const isFile = (name: string): boolean => name.includes('/') || /\.ya?ml$/.test(name);

/** A name that finds the document from any working directory. */
export const lastingName = (name: string): string => (isFile(name) ? resolve(name) : name);

/** The source of a plan. `name` is the pipeline's name on the command line. */
export const sourceOf = ({ digest, environments }: Pipeline, name: string): PlanSource => ({
  kind: 'pipeline',
  name: lastingName(name),
  digest,
  ...(environments.length === 0 ? {} : { environments }),
});

/** Paths of plugins are relative to the file of the pipeline or, if it ships with Joinery, of the last environment. */
function placeOf(name: string, environments: readonly string[]): Pick<Pipeline, 'place'> {
  const files = [...environments.map((file) => ({ file, words: `--env ${file}` })), { file: name, words: name }];
  const last = files.filter(({ file }) => isFile(file)).at(-1);
  return last === undefined ? {} : { place: { folder: dirname(resolve(last.file)), words: last.words } };
}
