/** Everything that a phase or a plugin may import of the engine, beside `engine/node` and `engine/pki`. */
export type { Bounds } from './bounds.ts';
export * from './effects.ts';
export {
  type CheckResult,
  type ErrorCode,
  EXIT,
  errorCodes,
  fail,
  isJoinError,
  JoinError,
  type OwnError,
  type Problem,
} from './errors.ts';
export { defined } from './fields.ts';
export * from './gates.ts';
export * from './install.ts';
export { applyJsonPatch } from './json-patch.ts';
export { joineryPaths } from './paths.ts';
export { type AnyPhase, definePhase, type Phase, type PhaseEvent, type PhaseOrigin } from './phase.ts';
export { definePlugin, isPlugin, type Plugin, type PluginFactory } from './plugin.ts';
export type * from './ports.ts';
export { type Infer, type Schema, wrapSecrets } from './schema.ts';
export { isSecret, revealSecrets, Secret } from './secret.ts';
export { clean, didYouMean, gunzipText, nearest, printable, valueText } from './text.ts';
export { parseYaml } from './yaml.ts';
