/** The object that every plugin gets. */
import * as node from '../../engine/node/index.ts';
import type { Sdk } from '../../engine/node/sdk.ts';
import * as pki from '../../engine/pki/index.ts';
import * as core from '../../engine/sdk/index.ts';

export const sdk: Sdk = Object.freeze({
  ...core,
  node: Object.freeze({ ...node }),
  pki: Object.freeze({ ...pki }),
});
