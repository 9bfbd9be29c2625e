/** YAML text → a pipeline of the right shape, or E_PIPELINE with every problem at its line and column. */
import { createHash } from 'node:crypto';
import { LineCounter, parseDocument } from 'yaml';
import schema from '../../schemas/pipeline.schema.json' with { type: 'json' };
import type { Schema } from '../sdk/schema.ts';
import { Problems } from './problems.ts';
import { violations } from './validate.ts';

export interface RetryPolicy {
  attempts: number;
  initial: string;
  factor: number;
  cap: string;
}

/** One of several phases that a step may use: the first whose condition holds. */
export interface Variant {
  phase: string;
  if?: string;
}

export interface PipelineStep {
  id: string;
  uses: string | Variant[];
  needs?: string[];
  with?: Record<string, unknown>;
  timeout?: string;
  retry?: Partial<RetryPolicy>;
}

/** A document that satisfies `schemas/pipeline.schema.json`; `problems` collects what else is found wrong with it. */
export interface Pipeline {
  file: string;
  /** sha256 of its text. */
  digest: string;
  metadata: { name: string; description?: string };
  inputs: Schema & { properties: Record<string, Schema> };
  defaults: { timeout?: string; retry?: Partial<RetryPolicy> };
  steps: PipelineStep[];
  problems: Problems;
}

const FILE_BYTES_MAX = 1 << 20;

export function loadPipeline(file: string, text: string): Pipeline {
  const lines = new LineCounter();
  const tooLarge = Buffer.byteLength(text) > FILE_BYTES_MAX; // and so not even parsed
  const options = { lineCounter: lines, uniqueKeys: true, stringKeys: true, prettyErrors: false };
  const document = parseDocument(tooLarge ? '' : text, options);
  const problems = new Problems(file, document, lines);
  if (tooLarge) problems.atOffset(0, `larger than ${FILE_BYTES_MAX} bytes`);
  for (const error of document.errors) problems.atOffset(error.pos[0], error.message);
  problems.throwIfAny();

  const value = plainValue(document, problems);
  for (const { path, key, message } of violations(schema, value)) {
    if (key === undefined) problems.at(path, message);
    else problems.atKey(path, key, message);
  }
  problems.throwIfAny();

  const shape = value as Omit<Pipeline, 'file' | 'digest' | 'problems'>; // ajv has just checked it
  return {
    ...shape,
    inputs: shape.inputs ?? { type: 'object', properties: {} },
    defaults: shape.defaults ?? {},
    file,
    digest: createHash('sha256').update(text).digest('hex'),
    problems,
  };
}

/** Aliases are only followed here, and so only here found to be too many, or to lead nowhere. */
function plainValue(document: ReturnType<typeof parseDocument>, problems: Problems): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    problems.atOffset(0, (error as Error).message);
    return problems.throwIfAny();
  }
}

export const variantsOf = ({ uses }: PipelineStep): readonly Variant[] =>
  typeof uses === 'string' ? [{ phase: uses }] : uses;

const UNIT_MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A Go duration in milliseconds. */
export function durationMs(text: string): number {
  let total = 0;
  for (const [, number, unit] of text.matchAll(/([\d.]+)(ms|s|m|h)/g))
    total += Number(number) * (UNIT_MS[unit ?? ''] ?? 0);
  return total;
}
