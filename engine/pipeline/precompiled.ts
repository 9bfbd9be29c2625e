/** What the build has prepared of all that ships. In the sources there is nothing: see bin/precompile.ts. */
import type { ValidateFunction } from 'ajv/dist/2020.js';

/** Makers of validators, by the JSON text of their schema. */
export const precompiled: ReadonlyMap<string, () => ValidateFunction> = new Map();

/** What a pipeline's text says, as JSON, by the digest of the text. */
export const parsedPipelines: ReadonlyMap<string, string> = new Map();
