/** YAML text → a pipeline that satisfies its schema, or E_PIPELINE with every problem. */
import schema from '../../schemas/pipeline.schema.json' with { type: 'json' };
import { digestOf } from '../documents/digest.ts';
import { precompiledPipelines } from '../documents/precompiled.ts';
import { Problems } from '../documents/problems.ts';
import { lazyLocator, readDocument } from '../documents/read.ts';
import { checkShape } from '../documents/shape.ts';
import type { Schema } from '../sdk/schema.ts';

export interface RetryPolicy {
  attempts: number;
  initial: string;
  factor: number;
  cap: string;
  jitter: number;
  on: string[];
}

/** A limit of each attempt, or limits of each attempt and of all of them together. */
export type Timeout = string | { attempt?: string; total?: string };

/** One of several phases that a step may use. The step uses the first whose condition is true. */
export interface Variant {
  phase: string;
  if?: string;
}

export interface PipelineStep {
  id: string;
  /** Absent in an approval. */
  uses?: string | Variant[];
  approval?: { message: string; deadline: string; onTimeout?: 'fail' | 'approve' };
  needs?: string[];
  /** Absent: the step always runs. */
  if?: string;
  with?: Record<string, unknown>;
  timeout?: Timeout;
  retry?: Partial<RetryPolicy>;
  allowFailure?: boolean;
}

export interface AppliedEnvironment {
  /** The name on the command line: a built-in name or a file. */
  name: string;
  /** SHA-256 of the text. */
  digest: string;
}

/** A document that satisfies `schemas/pipeline.schema.json`. `problems` collects what else is wrong with it. */
export interface Pipeline {
  file: string;
  /** SHA-256 of the text. */
  digest: string;
  /** The environments on top of the pipeline, in order. */
  environments: readonly AppliedEnvironment[];
  metadata: { name: string; description?: string };
  /** Plugins: folders relative to the pipeline, or names. */
  plugins?: string[];
  /**
   * The folder of the pipeline or environment, and how the command line names it. Absent if everything ships with
   * Joinery.
   */
  place?: { folder: string; words: string };
  inputs: Schema & { properties: Record<string, Schema> };
  defaults: { timeout?: Timeout; finally?: string; retry?: Partial<RetryPolicy> };
  steps: PipelineStep[];
  /** Steps that run after the others, however those ended. */
  finally?: PipelineStep[];
  outputs?: Record<string, unknown>;
  problems: Problems;
}

type Origin = Pick<Pipeline, 'file' | 'digest' | 'environments'>;
/** The keys of the file, some of which have defaults. */
type PipelineDocument = Omit<Pipeline, keyof Origin | 'problems' | 'place' | 'inputs' | 'defaults'> &
  Partial<Pick<Pipeline, 'inputs' | 'defaults'>>;

/** Whether the text is a pipeline that consists of another one and changes (`extends`). */
export function isExtension(file: string, text: string): boolean {
  if (!text.includes('extends') || precompiledPipelines.has(digestOf(text))) return false;
  const { value } = readDocument(file, text);
  return typeof value === 'object' && value !== null && 'extends' in value;
}

/** `text` is a pipeline that extends no other. */
export function loadPipeline(file: string, text: string): Pipeline {
  const origin = { file, digest: digestOf(text), environments: [] };
  const precompiled = precompiledPipelines.get(origin.digest);
  if (precompiled !== undefined) {
    const document = precompiled() as PipelineDocument; // the build has checked its shape
    return withDefaults(document, new Problems(lazyLocator(file, text)), origin);
  }
  const { value, problems } = readDocument(file, text);
  return pipelineOf(value, problems, origin);
}

/** Checks that `value` has the shape of a pipeline. Throws E_PIPELINE with every problem so far. */
export function pipelineOf(value: unknown, problems: Problems, origin: Origin): Pipeline {
  checkShape(schema, value, problems);
  problems.throwIfAny();
  return withDefaults(value as PipelineDocument, problems, origin); // ajv has just checked it
}

function withDefaults(document: PipelineDocument, problems: Problems, origin: Origin): Pipeline {
  return {
    ...document,
    inputs: document.inputs ?? { type: 'object', properties: {} },
    defaults: document.defaults ?? {},
    ...origin,
    problems,
  };
}

export const variantsOf = ({ uses = [] }: PipelineStep): readonly Variant[] =>
  typeof uses === 'string' ? [{ phase: uses }] : uses;
