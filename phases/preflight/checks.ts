/**
 * Every check of a worker under kubeadm's names, in the order of the results. docs/preflight.md lists them as a table.
 */
import type { Check, Inputs } from './check.ts';
import { fileChecks, isPrivilegedUser } from './files.ts';
import { kubeletChecks } from './kubelet.ts';
import { nodeLabels } from './labels.ts';
import { hostname, kernelSettings, kubeletPortFree, proxyChecks } from './network.ts';
import { programChecks } from './programs.ts';
import { runtimeChecks } from './runtime.ts';
import { swapOff, systemVerification } from './system.ts';
import { writablePaths } from './writable.ts';

export const checksFor = (inputs: Inputs): Check[] => [
  isPrivilegedUser,
  ...fileChecks(inputs),
  writablePaths(inputs),
  ...runtimeChecks(inputs),
  ...kernelSettings(inputs),
  swapOff,
  ...programChecks(inputs),
  systemVerification,
  hostname,
  ...kubeletChecks,
  nodeLabels(inputs),
  kubeletPortFree,
  ...proxyChecks(inputs),
];
