import type { RequestListener } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MachineCommands } from '../../engine/host/commands.ts';
import { MachineServices } from '../../engine/host/services.ts';
import { Transport } from '../../engine/kube/request.ts';
import { answerOf } from '../../engine/net/calls.ts';
import { download } from '../../engine/net/download.ts';
import { type Sandbox, startSandbox } from '../../plugins/sandbox/index.ts';
import { joinErrorOf } from '../helpers/errors.ts';
import { plainServer } from '../helpers/web-server.ts';
import { NEVER, site, trustOnlyOurCa } from '../helpers/web-servers.ts';

const TOO_MANY = 'more than 5 informational responses (1xx), and no answer';
const announcing =
  (code: number): RequestListener =>
  ({ socket }) => {
    const timer = setInterval(() => socket.write(`HTTP/1.1 ${code} Soon\r\n\r\n`), 5);
    socket.once('close', () => clearInterval(timer));
  };

trustOnlyOurCa();
let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox();
});
afterAll(() => sandbox.close());

describe('a server that announces its answer without end', () => {
  test.each([102, 103])(
    'a server that sends endless informational responses ends a request to the API with an error: %i',
    async (code) => {
      const transport = new Transport(() => new Date());
      sandbox.faults.add({ effect: 'informational', code, latencyMs: 5 });
      const server = `https://${sandbox.endpoint}`;
      const request = { server, method: 'GET', ref: undefined, path: '/version', query: {}, body: undefined } as const;
      const error = await joinErrorOf(() => transport.send({ ...request, as: { ca: sandbox.caPem } }, NEVER));
      expect(error).toMatchObject({ code: 'E_API_ANSWER', facts: { what: TOO_MANY } });
      await transport.close();
    },
  );

  test('a server that sends endless responses of 100 ends a request with an error', async () => {
    const url = await plainServer(announcing(100));
    expect((await joinErrorOf(() => answerOf({ method: 'GET', url }, NEVER))).code).toBe('E_HTTP_UNREACHABLE');
  });

  test('a server that sends endless informational responses ends a call of a phase with an error', async () => {
    const url = await plainServer(announcing(103));
    const error = await joinErrorOf(() => answerOf({ method: 'GET', url }, NEVER));
    expect(error).toMatchObject({ code: 'E_HTTP_ANSWER', facts: { what: `it sent ${TOO_MANY}` } });
  });

  test('a server that sends endless informational responses ends a download with an error', async () => {
    const { url } = await site(announcing(103));
    const error = await joinErrorOf(() => download(url, NEVER));
    expect(error).toMatchObject({ code: 'E_DOWNLOAD', facts: { what: `the server sent ${TOO_MANY}` } });
  });

  test.each(['a health port that only announces', 'a health port with a body without end'])(
    'a server that sends endless informational responses does not delay the check of a kubelet: %s',
    async (which) => {
      const endless: RequestListener = (_, response) => {
        const timer = setInterval(() => response.write('x'), 5);
        response.once('close', () => clearInterval(timer));
      };
      const url = await plainServer(which.includes('body') ? endless : announcing(103));
      const services = new MachineServices(new MachineCommands('/'));
      const waited = services.waitHealthy('none-of-this-machine', url, AbortSignal.timeout(1_500));
      if (which.includes('body')) await waited;
      else expect((await joinErrorOf(() => waited)).code).toBe('E_HEALTH');
    },
  );
});
