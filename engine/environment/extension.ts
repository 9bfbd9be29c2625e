/** A pipeline that consists of another pipeline and changes of it: `extends` and `patches`. */
import { digestOf } from '../documents/digest.ts';
import { Problems } from '../documents/problems.ts';
import { checkShape } from '../documents/shape.ts';
import { extensionSchema } from '../pipeline/extension-schema.ts';
import type { ApplyPatch } from '../sdk/json-patch.ts';
import { readTracked, type SourceDocument } from './load.ts';
import { applyLayer, loadJsonPatch, withExplicitNeeds } from './resolve.ts';
import { type Mapping, partOf, plainOf, replacing, TrackedLocator, textAt, withEntry } from './tracked.ts';

/** How many pipelines may be on top of each other. */
const EXTENSIONS_MAX = 8;

/** Where pipelines are found by their names. */
export interface PipelineFiles {
  read(name: string): { file: string; text: string };
  /** The name of a pipeline that the pipeline `name` calls `written`. */
  beside(name: string, written: string): string;
}

/** The pipeline with everything that it extends. `above` are the pipelines that extend it. Throws E_PIPELINE. */
export async function openSource(
  name: string,
  files: PipelineFiles,
  above: readonly string[] = [],
): Promise<SourceDocument> {
  const { file, text } = files.read(name);
  const document = readTracked(file, text);
  const written = extendsOf(document);
  if (written === undefined) return document;
  const base = files.beside(name, written);
  const chain = [...above, name];
  if (chain.includes(base)) refuse(document, `${base} would extend itself: ${[...chain, base].join(' extends ')}`);
  if (chain.length > EXTENSIONS_MAX) refuse(document, `at most ${EXTENSIONS_MAX} pipelines can extend each other`);
  return extended(await openSource(base, files, chain), document, await loadJsonPatch([document]));
}

function refuse({ tracked }: SourceDocument, message: string): never {
  const problems = new Problems(new TrackedLocator(tracked));
  problems.at(['extends'], message, 'extends');
  problems.throwIfAny();
  throw new TypeError(message);
}

/** The `extends` of a document, or undefined. Throws E_PIPELINE if the document has one but not the rest. */
function extendsOf({ tracked }: SourceDocument): string | undefined {
  if (partOf(tracked, 'extends') === undefined) return undefined;
  const problems = new Problems(new TrackedLocator(tracked));
  checkShape(extensionSchema, plainOf(tracked), problems);
  problems.throwIfAny();
  return textAt(tracked, 'extends');
}

/** Throws E_PIPELINE with every patch that does not fit `base`. */
function extended(base: SourceDocument, extension: SourceDocument, applyPatch: ApplyPatch | undefined): SourceDocument {
  const problems = new Problems(new TrackedLocator(extension.tracked));
  const changed = applyLayer(withExplicitNeeds(base.tracked), extension.tracked, { problems, applyPatch });
  problems.throwIfAny();
  const own = (extension.tracked as Mapping).entries.get('metadata');
  const tracked =
    changed.kind === 'map' && own !== undefined
      ? withEntry(changed, 'metadata', replacing(own.value, partOf(changed, 'metadata')), own.key)
      : changed;
  return {
    file: extension.file,
    files: [...base.files, ...extension.files],
    digest: digestOf(`${extension.digest} extends ${base.digest}`),
    tracked,
  };
}
