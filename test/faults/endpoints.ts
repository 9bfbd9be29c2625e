/** Endpoints that are not API servers. */
import { once } from 'node:events';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import type { Fault } from './fault.ts';
import { ANSWER, type Ends } from './row.ts';

/** A server at the endpoint that is not an API server. */
function spoken(name: string, speak: (socket: Socket) => void, ends: Ends, limitsMs?: Record<string, number>): Fault {
  return {
    name,
    where: 'the endpoint',
    async inject(scene) {
      const server = createTcpServer((socket) => speak(socket.on('error', () => undefined))).listen(0, '127.0.0.1');
      server.unref();
      await once(server, 'listening');
      scene.values.endpoint = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    },
    ends,
    lasting: true,
    ...(limitsMs === undefined ? {} : { limitsMs }),
  };
}
export const endpoints: Fault[] = [
  spoken('HTTP instead of HTTPS', (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'), ANSWER),
  spoken('SSH', (socket) => socket.end('SSH-2.0-OpenSSH_9.2p1\r\n'), ANSWER),
  spoken('an end before the handshake', (socket) => socket.end(), ['E_API_UNREACHABLE', 'cluster']),
  spoken('a reset before the handshake', (socket) => socket.resetAndDestroy(), ['E_API_UNREACHABLE', 'cluster']),
  spoken('no word', () => undefined, ['E_STEP_TIME_LIMIT', 'timeLimit'], { discovery: 500 }),
  {
    name: 'a closed port',
    where: 'the endpoint',
    inject(scene) {
      scene.values.endpoint = '127.0.0.1:1';
    },
    ends: ['E_API_UNREACHABLE', 'cluster'],
    lasting: true,
  },
];
