/** Every check of a worker, by kubeadm's names, in the order in which results are shown. docs/preflight.md has them as a table. */
import type { Check, Given } from './check.ts';
import { fileChecks, isPrivilegedUser } from './files.ts';
import { kubeletChecks } from './kubelet.ts';
import { hostname, kernelSettings, kubeletPortFree, proxyChecks } from './network.ts';
import { programChecks } from './programs.ts';
import { runtimeChecks } from './runtime.ts';
import { swapOff, systemVerification } from './system.ts';

export const checksFor = (given: Given): Check[] => [
  isPrivilegedUser,
  ...fileChecks(given),
  ...runtimeChecks(given),
  ...kernelSettings(given),
  swapOff,
  ...programChecks(given),
  systemVerification,
  hostname,
  ...kubeletChecks,
  kubeletPortFree,
  ...proxyChecks(given),
];
