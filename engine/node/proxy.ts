/** The proxy between this machine and the API server. */
import type { Log, Web } from '../sdk/ports.ts';

/** Says through which proxy the API server is reached, if there is one. */
export async function logProxy(web: Pick<Web, 'proxyOf'>, log: Log, server: string): Promise<void> {
  const proxy = await web.proxyOf(server);
  if (proxy !== undefined) log.info(`connecting to ${server} through the proxy ${proxy} (HTTPS_PROXY)`);
}
