/** Everything that a phase or a plugin may import of the engine, beside `engine/node` and `engine/pki`. */
export type { Bounds } from './bounds.ts';
export {
  type ApiVerb,
  apiCalls,
  changesCluster,
  changesEtcd,
  controls,
  describeEffect,
  downloads,
  type Effect,
  httpCalls,
  readsEtcd,
  removesPodSandboxes,
  runs,
  serviceWrites,
  unmounts,
  writes,
} from './effects.ts';
export {
  type CheckResult,
  type ErrorCode,
  EXIT,
  errorCodes,
  fail,
  isJoinError,
  isTimeLimit,
  JoinError,
  type OwnError,
  type Problem,
  withWitness,
} from './errors.ts';
export type { EventError, RunEvent } from './events.ts';
export { defined } from './fields.ts';
export { type Gate, gateLine, goBoolean, parseGates } from './gates.ts';
export { type DesiredPath, installFiles } from './install.ts';
export { applyJsonPatch } from './json-patch.ts';
export { joineryPaths } from './paths.ts';
export {
  type AnyPhase,
  definePhase,
  definePlugin,
  isPlugin,
  type Phase,
  type PhaseOrigin,
  type Plugin,
  type PluginFactory,
} from './phase.ts';
export type * from './ports.ts';
export { type Infer, type Schema, wrapSecrets } from './schema.ts';
export { isSecret, revealSecrets, Secret } from './secret.ts';
export { clean, decodeText, didYouMean, gunzipText, nearest, printable, valueText } from './text.ts';
export { parseYaml } from './yaml.ts';
export { goYaml } from './yaml-dialects.ts';
