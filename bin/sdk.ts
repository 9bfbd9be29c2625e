/** `@joinery/cli/sdk`: types for plugins, and nothing that runs. What runs is handed to them. */
export type * from '../engine/sdk/index.ts';
