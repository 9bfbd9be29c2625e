/** YAML text → an environment that satisfies its schema, or E_PIPELINE with every problem. */
import schema from '../../schemas/environment.schema.json' with { type: 'json' };
import { digestOf } from '../documents/digest.ts';
import { Problems } from '../documents/problems.ts';
import { readDocument } from '../documents/read.ts';
import { checkShape } from '../documents/shape.ts';
import type { AppliedEnvironment } from '../pipeline/load.ts';
import { plainOf, TrackedLocator, type TrackedValue, trackedOf } from './tracked.ts';

/** The content of one file, or of a pipeline and those that it extends. */
export interface SourceDocument {
  file: string;
  files: readonly string[];
  digest: string;
  tracked: TrackedValue;
}

export interface Environment extends AppliedEnvironment {
  tracked: TrackedValue;
}

/** Throws E_PIPELINE if the text is not YAML, exceeds the limits of `readYaml`, or contains decimal modes. */
export function readTracked(file: string, text: string): SourceDocument {
  const { document, source, problems } = readDocument(file, text);
  problems.throwIfAny();
  return { file, files: [file], digest: digestOf(text), tracked: trackedOf(document, source) };
}

/** Reads a document that satisfies `schemas/environment.schema.json`. `name` is the name on the command line. */
export function loadEnvironment(name: string, file: string, text: string): Environment {
  const { tracked, digest } = readTracked(file, text);
  const problems = new Problems(new TrackedLocator(tracked));
  checkShape(schema, plainOf(tracked), problems);
  problems.throwIfAny();
  return { name, digest, tracked };
}
