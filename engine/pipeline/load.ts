/** YAML text → a pipeline of the right shape, or E_PIPELINE with every problem at its line and column. */
import schema from '../../schemas/pipeline.schema.json' with { type: 'json' };
import { decimalModes } from '../documents/decimal-modes.ts';
import { digestOf } from '../documents/digest.ts';
import { DocumentLocator, type Locator, Text } from '../documents/place.ts';
import { readPipelines } from '../documents/precompiled.ts';
import { Problems } from '../documents/problems.ts';
import { violations } from '../documents/validate.ts';
import type { Schema } from '../sdk/schema.ts';
import { readYaml } from '../sdk/yaml.ts';

export interface RetryPolicy {
  attempts: number;
  initial: string;
  factor: number;
  cap: string;
  jitter: number;
  on: string[];
}

/** Of one attempt; or of one and of all of them. */
export type Timeout = string | { attempt?: string; total?: string };

/** One of several phases that a step may use: the first whose condition holds. */
export interface Variant {
  phase: string;
  if?: string;
}

export interface PipelineStep {
  id: string;
  /** Left out of an approval. */
  uses?: string | Variant[];
  approval?: { message: string; deadline: string; onTimeout?: 'fail' | 'approve' };
  needs?: string[];
  /** Left out: always. */
  if?: string;
  with?: Record<string, unknown>;
  timeout?: Timeout;
  retry?: Partial<RetryPolicy>;
  allowFailure?: boolean;
}

export interface AppliedEnvironment {
  /** As it was named: one that ships, or a file. */
  name: string;
  /** sha256 of its text. */
  digest: string;
}

/** A document that satisfies `schemas/pipeline.schema.json`; `problems` collects what else is found wrong with it. */
export interface Pipeline {
  file: string;
  /** sha256 of its text. */
  digest: string;
  /** What was laid over it, in that order. */
  environments: readonly AppliedEnvironment[];
  metadata: { name: string; description?: string };
  /** Folders, from where it lies, or names. */
  plugins?: string[];
  /** Where it lies, or what is laid over it, and by which words it is named. Left out: all of it ships with Joinery. */
  place?: { folder: string; words: string };
  inputs: Schema & { properties: Record<string, Schema> };
  defaults: { timeout?: Timeout; finally?: string; retry?: Partial<RetryPolicy> };
  steps: PipelineStep[];
  /** They run after the others, however those ended. */
  finally?: PipelineStep[];
  outputs?: Record<string, unknown>;
  problems: Problems;
}

/** Enough for the 10,000 steps that the schema allows, where they are short; much more takes longer than a second to read. */
export const TOKENS_MAX = 250_000;

export function loadPipeline(file: string, text: string): Pipeline {
  const origin = { file, digest: digestOf(text), environments: [] };
  const read = readPipelines.get(origin.digest);
  if (read !== undefined) return pipelineOf(read(), new Problems(lazyLocator(file, text)), origin);
  const { document, lines, value, errors } = readYaml(text, TOKENS_MAX);
  const source = new Text(file, lines, text);
  const problems = new Problems(new DocumentLocator(source, document));
  for (const { offset, message } of errors) problems.atPlace(source.place(offset), message, 'yaml');
  problems.throwIfAny();
  for (const { offset, end, message } of decimalModes(document))
    problems.atPlace(source.place(offset, end), message, 'decimal-mode');
  return pipelineOf(value, problems, origin);
}

/** Of a text that is only read where a place in it is asked for. */
function lazyLocator(file: string, text: string): Locator {
  let locator: Locator | undefined;
  const opened = (): Locator => {
    const { document, lines } = readYaml(text, TOKENS_MAX);
    locator ??= new DocumentLocator(new Text(file, lines, text), document);
    return locator;
  };
  return {
    at: (path) => (locator ?? opened()).at(path),
    atKey: (path, key) => (locator ?? opened()).atKey(path, key),
  };
}

/** `value` is what the documents say, and may have any shape. */
export function pipelineOf(
  value: unknown,
  problems: Problems,
  origin: Pick<Pipeline, 'file' | 'digest' | 'environments'>,
): Pipeline {
  checkShape(schema, value, problems);
  problems.throwIfAny();
  const shape = value as Omit<Pipeline, 'file' | 'digest' | 'environments' | 'problems' | 'place'>; // ajv has just checked it
  return {
    ...shape,
    inputs: shape.inputs ?? { type: 'object', properties: {} },
    defaults: shape.defaults ?? {},
    ...origin,
    problems,
  };
}

export function checkShape(shape: object, value: unknown, problems: Problems): void {
  for (const { path, key, message } of violations(shape, value)) {
    if (key === undefined) problems.at(path, message, 'shape');
    else problems.atKey(path, key, message, 'unknown-key');
  }
}

export const variantsOf = ({ uses = [] }: PipelineStep): readonly Variant[] =>
  typeof uses === 'string' ? [{ phase: uses }] : uses;
