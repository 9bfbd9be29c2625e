import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { connectionError } from '../../../engine/net/failure.ts';
import { ALERTS, NETWORK_REASONS, TLS_REASONS } from '../../../engine/net/reasons.ts';
import { trustedConnector } from '../../../engine/net/trusted-connector.ts';
import { isJoinError } from '../../../engine/sdk/index.ts';

const SERVER = 'https://10.0.0.1:6443';
const NEVER = new AbortController().signal;
const worded = (code: string, more: object = {}) => {
  const error = connectionError(Object.assign(new Error('words of a library'), { code, ...more }), SERVER, NEVER);
  if (!isJoinError(error)) throw new Error('not a JoinError');
  return [error.code, error.message];
};

/** What our connector says of a server on loopback. */
function failureAt(server: Server): Promise<Error | null> {
  const { port } = server.address() as AddressInfo;
  const url = `https://127.0.0.1:${port}`;
  return new Promise((resolve) => {
    trustedConnector({ server: url, ca: [], now: () => new Date() })(
      { hostname: '127.0.0.1', host: `127.0.0.1:${port}`, protocol: 'https:', port: String(port) },
      (...[failed]) => resolve(failed),
    );
  });
}

describe('why a connection failed', () => {
  test.each(Object.entries(NETWORK_REASONS))('%s has a sentence of its own', (code, reason) => {
    const [error, message] = worded(code, { address: '::1', port: 6443 });
    expect([error, message]).toEqual([
      'E_API_UNREACHABLE',
      `${SERVER} does not answer: ${reason} (${code} [::1]:6443)`,
    ]);
  });

  test.each(Object.entries(TLS_REASONS))('ERR_SSL_%s has a sentence of its own', (code, reason) => {
    expect(worded(`ERR_SSL_${code}`)).toEqual([
      'E_API_TLS_HANDSHAKE',
      `the TLS handshake with ${SERVER} failed: ${reason} (ERR_SSL_${code})`,
    ]);
  });

  test.each(['ESOMETHING', 'ERR_SSL_SOMETHING', 'ERR_OSSL_X509_SOMETHING', 'HPE_INVALID_VERSION'])(
    'an unknown code such as %s is named without the words of a library',
    (code) => {
      const [, message] = worded(code, code.startsWith('HPE') ? { name: 'HTTPParserError' } : {});
      expect(message).toContain(code);
      expect(message).not.toContain('words of a library');
    },
  );

  test('a server that accepts a connection and is silent is not taken for one without a connection', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void silent.close());
    await once(silent, 'listening');
    const error = connectionError(await failureAt(silent), SERVER, NEVER);
    expect((error as Error).message).toContain('it accepts connections, but did not answer the TLS handshake');
  }, 20_000);

  test('a host name that is unknown and each address that was tried are named', () => {
    expect(worded('ENOTFOUND', { hostname: 'api.example' })[1]).toContain('(ENOTFOUND api.example)');
    expect(worded('ECONNREFUSED', { errors: [{ address: '10.0.0.1', port: 6443 }] })[1]).toContain(
      'nothing listens there (ECONNREFUSED 10.0.0.1:6443)',
    );
  });
});

/** RFC 8446, appendix B.2, and older ones that servers still send. */
const NUMBERS: [number, string][] = [
  ...[
    [10, 'unexpected message'],
    [20, 'bad record mac'],
    [40, 'handshake failure'],
    [42, 'bad certificate'],
  ],
  ...[
    [43, 'unsupported certificate'],
    [45, 'certificate expired'],
    [46, 'certificate unknown'],
  ],
  ...[
    [47, 'illegal parameter'],
    [48, 'unknown ca'],
    [49, 'access denied'],
    [50, 'decode error'],
  ],
  ...[
    [51, 'decrypt error'],
    [70, 'protocol version'],
    [71, 'insufficient security'],
    [80, 'internal error'],
  ],
  ...[
    [86, 'inappropriate fallback'],
    [109, 'missing extension'],
    [110, 'unsupported extension'],
  ],
  ...[
    [112, 'unrecognized name'],
    [120, 'no application protocol'],
  ],
] as [number, string][];

describe('a TLS alert', () => {
  test.each(NUMBERS)('the TLS alert %i of a server is named "%s", and explained', async (number, name) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(Buffer.from([0x15, 3, 3, 0, 2, 2, number])));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const failure = await failureAt(server);
    server.close();
    const error = connectionError(failure, SERVER, NEVER);
    expect(isJoinError(error) && [error.code, error.exitCode]).toEqual(['E_API_TLS_HANDSHAKE', 12]);
    const explained = ALERTS[name.toUpperCase().replaceAll(' ', '_')];
    expect((error as Error).message).toContain(`failed: the server sent the alert "${name}": ${explained} (ERR_SSL_`);
  });
});
