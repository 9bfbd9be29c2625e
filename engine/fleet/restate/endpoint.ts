/** Where Restate reaches the services: HTTP/2 on loopback, in the operator's process. */
import { createServer, type Http2Server, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { askPatiently } from './client.ts';
import { controlObject } from './control.ts';
import { type MachineDesk, machineObject } from './machine.ts';
import { ROLLOUT } from './names.ts';
import { type RolloutWatch, rolloutWorkflow } from './rollout.ts';
import { createEndpointHandler } from './sdk.ts';
import type { RestateServer } from './server.ts';

export interface RestateEndpoint {
  close(): Promise<void>;
}

export interface EndpointOptions {
  server: RestateServer;
  watch: RolloutWatch;
  desk: MachineDesk;
  /** Receives what the SDK says of errors. */
  log(line: string): void;
}

/** Serves the services, and tells the server where they are. */
export async function openEndpoint({ server, watch, desk, log }: EndpointOptions): Promise<RestateEndpoint> {
  const handler = createEndpointHandler({
    services: [rolloutWorkflow(watch), controlObject(), machineObject(desk)],
    ...(server.identity === undefined ? {} : { identityKeys: [server.identity] }),
    logger: ({ level }, message, ...rest) => {
      if (level === 'warn' || level === 'error') log([level, message, ...rest].map(String).join(' '));
    },
  });
  const http = createServer(handler);
  const sessions = new Set<ServerHttp2Session>();
  http.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
  });
  await new Promise<void>((resolve, reject) => http.once('error', reject).listen(0, '127.0.0.1', resolve));
  await register(server, `http://127.0.0.1:${(http.address() as AddressInfo).port}`);
  return { close: () => closed(http, sessions) };
}

function closed(http: Http2Server, sessions: ReadonlySet<ServerHttp2Session>): Promise<void> {
  for (const session of sessions) session.destroy();
  return new Promise((resolve) => http.close(() => resolve()));
}

interface Deployments {
  deployments: { id: string; services: { name: string }[] }[];
}

/** Requests in progress belong to the deployment of an earlier operator, so that one moves to this address. */
async function register({ admin }: RestateServer, uri: string): Promise<void> {
  const { deployments } = (await askPatiently(admin, 'GET', '/deployments')) as Deployments;
  const ours = deployments.filter(({ services }) => services.some(({ name }) => name === ROLLOUT.name));
  if (ours.length === 0) await askPatiently(admin, 'POST', '/deployments', { uri, force: true });
  for (const { id } of ours) await askPatiently(admin, 'PATCH', `/deployments/${id}`, { uri, overwrite: true });
}
