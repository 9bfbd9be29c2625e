/** kubeadm's configuration files: everything that commands use of this folder. */
export { defaultConfiguration } from './defaults.ts';
export { type Configured, type Mixed, mixConfigAndFlags, mixingProblems } from './flags.ts';
export {
  asksForControlPlane,
  type JoinConfiguration,
  type LoadOptions,
  loadJoinConfiguration,
  type Place,
} from './load.ts';
export { type Change, type Migration, migrateConfiguration } from './migrate.ts';
export type { JoinSettings } from './settings.ts';
export { apiVersionOf, LATEST } from './versions.ts';
