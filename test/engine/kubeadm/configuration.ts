/** Short configuration files, and what loading them gives. */

import { expect } from 'vitest';
import { loadJoinConfiguration } from '../../../engine/kubeadm/index.ts';
import { joinErrorOf, printedForms } from '../../helpers/errors.ts';
import { DISCOVERY_TOKEN, meaningOf, PIN, SECRET } from '../../helpers/kubeadm.ts';

export const load = (text: string, lenient = false) => loadJoinConfiguration('c.yaml', text, { lenient });
export const settingsOf = (text: string) => meaningOf(load(text).settings);
/** `line:column: message` of every problem. */
export const problemsOf = async (text: string, lenient = false): Promise<string[]> => {
  const error = await joinErrorOf(() => load(text, lenient));
  expect(error.code).toBe('E_CONFIG');
  expect(printedForms(error)).not.toContain(SECRET);
  return error.message.split('\n').map((line) => line.replace(/^c\.yaml:/, ''));
};
export const warningsOf = (text: string, lenient = false): string[] =>
  load(text, lenient).warnings.map(({ line, column, message }) => `${line}:${column}: ${message}`);

export const HEAD = 'apiVersion: kubeadm.k8s.io/v1beta4\nkind: JoinConfiguration\n'; // lines 1 and 2
export const DISCOVERY = `discovery:\n  bootstrapToken: { token: ${DISCOVERY_TOKEN}, apiServerEndpoint: "a:1", caCertHashes: [${PIN}] }\n`;
export const OLD = 'apiVersion: kubeadm.k8s.io/v1alpha1\nkind: NodeConfiguration\n';
export const OLD_DISCOVERY = `token: ${DISCOVERY_TOKEN}\ndiscoveryTokenAPIServers: ["a:1"]\ndiscoveryTokenCACertHashes: [${PIN}]\n`;
