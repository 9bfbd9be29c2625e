import 'reflect-metadata';
import fc from 'fast-check';
import { afterAll } from 'vitest';
import { endFile } from './helpers/endings.ts';

/**
 * Every property is tested with the same seed, so that a failure is the fault of a change and not of chance.
 * `npm run fuzz` sets a fresh one. A case that failed with it becomes an example of its property.
 */
const SEED = 20_261_130;
fc.configureGlobal({ seed: Number(process.env.PROPERTY_SEED ?? SEED) });

afterAll(endFile);
