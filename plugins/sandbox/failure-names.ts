/** The steps of the default pipeline that the sandbox can let fail, in their order. */
export const FAILURE_NAMES = [
  'kubelet-version',
  'preflight',
  'discovery',
  'cluster-config',
  'preflight-cluster',
  'tls-bootstrap',
  'kubelet-config',
  'kubelet-start',
  'node-ready',
] as const;

export type FailureName = (typeof FAILURE_NAMES)[number];
