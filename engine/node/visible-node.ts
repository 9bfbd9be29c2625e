/** The Node of a machine that is about to join, as far as the cluster lets it be seen. */
import { isJoinError } from '../sdk/errors.ts';
import type { KubeApi, Log } from '../sdk/ports.ts';
import { type NodeObject, nodeRef } from './objects.ts';

/** Since then `kubeadm init` lets joining machines read Nodes, so that they can tell whether their name is taken. */
const READABLE_SINCE_MINOR = 18;

/** Undefined where there is none; and, with a warning, where an older cluster does not let anybody see who has yet to join. */
export async function visibleNode(api: KubeApi, name: string, log: Log): Promise<NodeObject | undefined> {
  try {
    return await api.get<NodeObject>(nodeRef(name));
  } catch (error) {
    if (!isJoinError(error) || error.code !== 'E_API_FORBIDDEN') throw error;
    const version = await api.serverVersion();
    if (!(Number(/^v1\.(\d+)/.exec(version)?.[1]) < READABLE_SINCE_MINOR)) throw error;
    log.warn(
      `whether another machine is ${name} is not known: a cluster of ${version} does not show its Nodes to who joins`,
    );
    return undefined;
  }
}
