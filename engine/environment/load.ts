/** YAML text → an environment of the right shape, or E_PIPELINE with every problem at its line and column. */
import schema from '../../schemas/environment.schema.json' with { type: 'json' };
import { decimalModes } from '../documents/decimal-modes.ts';
import { digestOf } from '../documents/digest.ts';
import { DocumentLocator, Text } from '../documents/place.ts';
import { Problems } from '../documents/problems.ts';
import { type AppliedEnvironment, checkShape, TOKENS_MAX } from '../pipeline/load.ts';
import { readYaml } from '../sdk/yaml.ts';
import { plainOf, type Tracked, TrackedLocator, trackedOf } from './tracked.ts';

/** What one file says. */
export interface Written {
  file: string;
  digest: string;
  tracked: Tracked;
}

export interface Environment extends AppliedEnvironment {
  tracked: Tracked;
}

/** E_PIPELINE where it is no YAML, or more than the limits of `readYaml`. */
export function readTracked(file: string, text: string): Written {
  const { document, lines, errors } = readYaml(text, TOKENS_MAX);
  const source = new Text(file, lines, text);
  const problems = new Problems(new DocumentLocator(source, document));
  for (const { offset, message } of errors) problems.atPlace(source.place(offset), message, 'yaml');
  problems.throwIfAny(); // or it may be too deep to be walked through
  for (const { offset, end, message } of decimalModes(document))
    problems.atPlace(source.place(offset, end), message, 'decimal-mode');
  problems.throwIfAny();
  const tracked = trackedOf(document, source);
  return { file, digest: digestOf(text), tracked };
}

/** A document that satisfies `schemas/environment.schema.json`. `name` is what it was called on the command line. */
export function loadEnvironment(name: string, file: string, text: string): Environment {
  const { tracked, digest } = readTracked(file, text);
  const problems = new Problems(new TrackedLocator(tracked));
  checkShape(schema, plainOf(tracked), problems);
  problems.throwIfAny();
  return { name, digest, tracked };
}
