/** The ajv library. bin/build/build.js makes the bundle load it on first use, because a join does not need it. */
import { Ajv2020 } from 'ajv/dist/2020.js';

export const ajvLibrary = (): typeof Ajv2020 => Ajv2020;
