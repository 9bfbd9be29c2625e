/** What the build has made of all that ships: validators by the JSON text of their schema, and pipelines by the digest of their text. Both are empty in the sources. */
import type { ValidateFunction } from 'ajv/dist/2020.js';

export const precompiled: ReadonlyMap<string, () => ValidateFunction> = new Map();
/** What the YAML says: reading it takes longer than planning it. */
export const readPipelines: ReadonlyMap<string, () => unknown> = new Map();
