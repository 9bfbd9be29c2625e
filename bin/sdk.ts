/** `@joinery/cli/sdk`: the types that plugins are written against. Plugins get the values as an argument. */
export type * from '../engine/node/index.ts';
export type { Sdk } from '../engine/node/sdk.ts';
export type * from '../engine/sdk/index.ts';
