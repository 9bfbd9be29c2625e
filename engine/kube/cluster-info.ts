/** The ConfigMap cluster-info, which an API server shows to clients without credentials. */
import { type ConfigMapObject, configMapRef } from '../node/objects.ts';
import { type ApiAnswer, type ApiRequest, objectPath } from '../sdk/api.ts';
import { fail } from '../sdk/errors.ts';
import type { ClusterInfo, Trust } from '../sdk/ports.ts';
import { isMapping, kubeObject, requireOk } from './answer.ts';

/** E_CLUSTER_INFO_MISSING if the server does not show it, E_CLUSTER_INFO_INVALID if its content is not valid. */
export async function clusterInfoOf(
  send: (request: ApiRequest) => Promise<ApiAnswer>,
  server: string,
  trust: 'unverified' | Trust,
): Promise<ClusterInfo> {
  const ref = configMapRef('kube-public', 'cluster-info');
  const request = { method: 'GET', ref, path: objectPath(ref), query: {}, body: undefined } as const;
  const answer = await send({ server, as: trust, ...request });
  if ([401, 403, 404].includes(answer.status)) throw fail('E_CLUSTER_INFO_MISSING', { server, status: answer.status });
  requireOk(answer, server, 'get cluster-info');
  const data = kubeObject<ConfigMapObject>(answer.body, server).data ?? {};
  if (!areTexts(data)) throw fail('E_CLUSTER_INFO_INVALID', { server, what: 'its data are not strings' });
  return { data, clockSkewMs: answer.clockSkewMs };
}

const areTexts = (value: unknown): value is Record<string, string> =>
  isMapping(value) && Object.values(value).every((text) => typeof text === 'string');
