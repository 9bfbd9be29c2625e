/** Redirects to a server outside the cluster, at the requests of a join. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { expect } from 'vitest';
import type { KeyPair } from '../../plugins/sandbox/index.ts';
import { serving } from './certificates.ts';
import { EVER, type Fault, LIMIT_MS, REQUESTS, type RequestName } from './fault.ts';
import { hinder } from './network.ts';
import { ANSWER, type Ends } from './row.ts';

/** A server that is none of the cluster's, and notes who asks it for what. */
export class OtherServer {
  readonly asked: string[] = [];
  readonly #server: Server;
  readonly url: string;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async open(pair: KeyPair): Promise<OtherServer> {
    const server = createServer(pair).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const other = new OtherServer(server);
    server.on('request', ({ url, headers: { authorization } }, response) => {
      other.asked.push(`${url} ${authorization ?? 'anonymous'}`);
      response.end('{}');
    });
    return other;
  }

  expectNothing(): void {
    this.#server.close();
    expect(this.asked).toEqual([]);
  }
}

function redirected(code: number, where: RequestName, ends: Ends = ANSWER): Fault {
  let other: OtherServer;
  return {
    name: `${code} to another host`,
    where,
    async inject(scene) {
      other = await OtherServer.open(serving({ issuer: scene.sandbox.caKeyPem })); // one that we would trust
      const headers = { Location: `${other.url}/stolen` };
      hinder(scene, where, { effect: 'instead', code, text: '{}', headers, times: EVER });
    },
    ends,
    ...(ends === ANSWER || ends === 'survives' ? {} : { limitsMs: { [REQUESTS[where].step]: LIMIT_MS } }),
    also: () => other.expectNothing(),
  };
}

export const redirects: Fault[] = [
  ...[301, 302, 303, 307, 308].map((code) => redirected(code, 'node get')),
  ...(['cluster-info, unverified', 'cluster-info, verified', 'CSR create', 'kubelet-config get'] as const).map(
    (where) => redirected(307, where),
  ),
  redirected(307, 'node patch', 'survives'), // it is patched, and found patched by the next try
  ...(['CSR watch', 'node list'] as const).map((where) => redirected(307, where, ['E_STEP_TIME_LIMIT', 'timeLimit'])),
];
