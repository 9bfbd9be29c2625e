/**
 * The build replaces this module, so that the bundle neither compiles schemas nor parses YAML at startup. In the
 * sources both maps are empty.
 */
import type { ValidateFunction } from 'ajv/dist/2020.js';

/** Validators by the JSON text of their schema. */
export const precompiledValidators: ReadonlyMap<string, () => ValidateFunction> = new Map();
/** The content of each pipeline that ships, by the digest of its text. */
export const precompiledPipelines: ReadonlyMap<string, () => unknown> = new Map();
