/** What a plugin is handed. */
import * as pki from '../pki/index.ts';
import * as core from '../sdk/index.ts';

export const sdk: core.Sdk = Object.freeze({ ...core, pki: Object.freeze({ ...pki }) });
