/** The existing Node with the name of a joining machine. */
import { isJoinError } from '../sdk/errors.ts';
import type { KubeApi, Log } from '../sdk/ports.ts';
import { type NodeObject, nodeRef } from './objects.ts';
import { holds } from './release-facts.ts';

/**
 * The Node, or undefined if it does not exist. Warns if the cluster does not allow the request, as older clusters do.
 */
export async function visibleNode(api: KubeApi, name: string, log: Log): Promise<NodeObject | undefined> {
  try {
    return await api.get<NodeObject>(nodeRef(name));
  } catch (error) {
    if (!isJoinError(error) || error.code !== 'E_API_FORBIDDEN') throw error;
    const version = await api.serverVersion();
    if (holds('readableNodes', version)) throw error;
    log.warn(
      `whether another machine is ${name} is not known: a cluster of ${version} does not show its Nodes to who joins`,
    );
    return undefined;
  }
}
