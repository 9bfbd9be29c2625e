/** Waits for a port, a file, a URL or an API object. Files and objects are watched; ports and URLs are polled. */
import { conditionsOf, kubeletIdentity } from '../../engine/node/index.ts';
import {
  apiCalls,
  defined,
  definePhase,
  fail,
  httpCalls,
  type KubeObject,
  type ObjectRef,
} from '../../engine/sdk/index.ts';
import { input, output } from './schema.ts';

export default definePhase({
  name: 'wait-for',
  summary: 'Wait for a port, a file, a URL or an API object',
  input,
  output,
  effects: [
    httpCalls('{url}', 'the check whether it answers'),
    apiCalls(['watch'], '{object.resource}', "the object, with the node's own identity"),
  ],

  async run({ files, kube, web, signal }, { port, path, url, object, contains, condition, ca }) {
    const problems = [];
    if (contains !== undefined && path === undefined) problems.push('contains requires path');
    if (condition !== undefined && object === undefined) problems.push('condition requires object');
    if (ca !== undefined && url === undefined) problems.push('ca requires url');
    if (problems.length > 0) throw fail('E_PHASE_INPUT', { phase: 'wait-for', problems });

    const withTimeout = async (what: string, wait: Promise<unknown>): Promise<void> => {
      await wait.catch((error: unknown) => {
        throw signal.aborted ? fail('E_WAIT', { what, said: '' }, error) : error;
      });
    };
    if (port !== undefined) {
      const colon = port.lastIndexOf(':');
      await web.waitForPort(port.slice(0, colon).replace(/^\[|\]$/g, ''), Number(port.slice(colon + 1)));
    }
    if (path !== undefined) {
      const holds = (content: Buffer | undefined) => content?.includes(contains ?? '') === true;
      await withTimeout(contains === undefined ? path : `"${contains}" in ${path}`, files.waitFor(path, holds));
    }
    if (url !== undefined) {
      await web.waitFor({ method: 'GET', url, ...defined({ ca }) });
    }
    if (object !== undefined) {
      const held = await kubeletIdentity(files);
      if (held === undefined)
        throw fail('E_PHASE_INPUT', {
          phase: 'wait-for',
          problems: ['this machine has no identity in the cluster yet: put this step after kubeconfig'],
        });
      const { server, ca: trusted, certificate: pem, key } = held;
      const { apiVersion = 'v1', ...named } = object;
      const api = kube.as({ server, ca: trusted, certificate: { pem, key } });
      const ref: ObjectRef = { apiVersion, ...named };
      const what = `${object.resource} ${object.name}${condition === undefined ? '' : ` with ${condition}`}`;
      await withTimeout(
        what,
        api.waitFor(ref, (found) => isReached(found, condition)),
      );
    }
    return {};
  },
});

function isReached(
  found: (KubeObject & { status?: { conditions?: unknown } }) | undefined,
  condition: string | undefined,
): boolean {
  if (found === undefined || condition === undefined) return found !== undefined;
  const [type, status = 'True'] = condition.split('=');
  return conditionsOf(found).some((found) => found.type === type && found.status === status);
}
