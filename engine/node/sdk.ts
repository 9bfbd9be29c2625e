/** The type of the SDK. It has its own file, because an index cannot describe itself. */
import type * as pki from '../pki/index.ts';
import type * as core from '../sdk/index.ts';
import type * as node from './index.ts';

/** Everything in `engine/sdk`, with `engine/node` as `node` and `engine/pki` as `pki`. */
export type Sdk = typeof core & { readonly node: typeof node; readonly pki: typeof pki };
