/** Makers of validators by the JSON text of their schema. Empty in the sources; the build puts those of all that ships here. */
import type { ValidateFunction } from 'ajv/dist/2020.js';

export const precompiled: ReadonlyMap<string, () => ValidateFunction> = new Map();
