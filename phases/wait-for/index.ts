/** Waits for a port, a file, an address or an object of the API; by watching where that can be watched. */
import { conditionsOf, kubeletIdentity } from '../../engine/node/index.ts';
import { apiCalls, definePhase, fail, httpCalls, type KubeObject, type ObjectRef } from '../../engine/sdk/index.ts';
import { input, output } from './schema.ts';

export default definePhase({
  name: 'wait-for',
  summary: 'Wait for a port, a file, an address or an object of the API',
  input,
  output,
  effects: [
    httpCalls('{url}', 'whether it answers'),
    apiCalls(['watch'], '{object.resource}', "the object, by the node's own identity"),
  ],

  async run({ files, kube, web, signal }, { port, path, url, object, contains, condition, ca }) {
    const problems = [];
    if ([port, path, url, object].filter((given) => given !== undefined).length !== 1)
      problems.push('one of port, path, url and object must be given, and no other');
    if (contains !== undefined && path === undefined) problems.push('contains goes with path');
    if (condition !== undefined && object === undefined) problems.push('condition goes with object');
    if (ca !== undefined && url === undefined) problems.push('ca goes with url');
    if (problems.length > 0) throw fail('E_PHASE_INPUT', { phase: 'wait-for', problems });

    const inTime = async (what: string, wait: Promise<unknown>): Promise<void> => {
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
      await inTime(contains === undefined ? path : `"${contains}" in ${path}`, files.waitFor(path, holds));
    }
    if (url !== undefined) {
      await web.waitFor({ method: 'GET', url, ...(ca === undefined ? {} : { ca }) });
    }
    if (object !== undefined) {
      const held = await kubeletIdentity(files);
      if (held === undefined)
        throw fail('E_PHASE_INPUT', {
          phase: 'wait-for',
          problems: ['this machine has no identity in the cluster yet: put the step behind kubeconfig'],
        });
      const { server, ca: trusted, certificate: pem, key } = held;
      const { apiVersion = 'v1', ...named } = object;
      const api = kube.as({ server, ca: trusted, certificate: { pem, key } });
      const ref: ObjectRef = { apiVersion, ...named };
      const what = `${object.resource} ${object.name}${condition === undefined ? '' : ` with ${condition}`}`;
      await inTime(
        what,
        api.waitFor(ref, (found) => holdsFor(found, condition)),
      );
    }
    return {};
  },
});

function holdsFor(
  found: (KubeObject & { status?: { conditions?: unknown } }) | undefined,
  condition: string | undefined,
): boolean {
  if (found === undefined || condition === undefined) return found !== undefined;
  const [wanted, status = 'True'] = condition.split('=');
  return conditionsOf(found).some((one) => one.type === wanted && one.status === status);
}
