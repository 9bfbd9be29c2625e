/**
 * How the stand-in kubelet lets the stand-in runtime run a Pod. A real kubelet sends several calls of the CRI; these
 * two exist between the stand-ins alone.
 */
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { RunnablePod } from './pod-manifest.ts';
import { RUNTIME_SOCKET } from './runtime.ts';

const POD_CALLS = '/joinery.sandbox.Pods/';

/** Rejects with the reason of the runtime. */
export async function callRuntime(
  root: string,
  call: 'run' | 'stop',
  pod: RunnablePod | Pick<RunnablePod, 'name' | 'namespace'>,
): Promise<void> {
  const session = connectHttp2('http://localhost', { createConnection: () => connect(join(root, RUNTIME_SOCKET)) });
  const failed = once(session, 'error').then(([error]) => Promise.reject(error as Error));
  failed.catch(() => undefined);
  try {
    const stream = session.request({ ':method': 'POST', ':path': `${POD_CALLS}${call}` });
    stream.on('error', () => undefined).end(JSON.stringify(pod));
    const reason = await Promise.race([text(stream), failed]);
    if (reason !== '') throw new Error(reason);
  } finally {
    session.destroy();
  }
}
