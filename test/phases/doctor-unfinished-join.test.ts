import { describe, expect, test } from 'vitest';
import type { MemoryMachine } from '../../engine/testing/memory-host.ts';
import { SERVER } from '../helpers/cluster.ts';
import { asking, cluster, examined, joined } from '../helpers/doctor.ts';

describe('doctor during an unfinished join', () => {
  const requested = (status: object) => ({
    send: () => ({ status: 200, body: { metadata: {}, status }, clockSkewMs: 0 }),
  });
  const condition = (type: string, reason = 'Because', message = 'not you') => ({
    conditions: [{ type, reason, message }],
  });

  test.each<[string, MemoryMachine, object]>([
    [
      'waits',
      requested({}),
      {
        state: 'problem',
        what: 'node-csr-x is Pending: it needs approval',
        next: 'kubectl certificate approve node-csr-x\njoin resume',
      },
    ],
    [
      'is approved',
      requested(condition('Approved')),
      { state: 'ok', what: 'node-csr-x is approved', next: 'join resume' },
    ],
    [
      'is denied',
      requested(condition('Denied')),
      { state: 'problem', what: expect.stringMatching(/^E_CSR_DENIED: .*Because.*not you/) },
    ],
    [
      'has failed',
      requested(condition('Failed')),
      { state: 'problem', what: expect.stringMatching(/^E_CSR_FAILED: .*Because.*not you/) },
    ],
    [
      'is gone',
      { send: () => ({ status: 404, body: {}, clockSkewMs: 0 }) },
      { state: 'problem', what: expect.stringMatching(/^E_CSR_GONE: /) },
    ],
  ])('doctor reports that the CSR of an unfinished join %s', async (_, change, expected) => {
    const found = await examined(joined({ files: {}, ...change }), asking);
    expect(found.find(({ check }) => check === 'csr')).toMatchObject(expected);
    expect(found.find(({ check }) => check === 'api-server')).toEqual({
      check: 'api-server',
      state: 'ok',
      what: `${SERVER} answers`,
    });
  });

  test('doctor reports whether the cluster answers if the token is unknown', async () => {
    const send = () => ({ status: 200, body: { metadata: {}, data: {} }, clockSkewMs: 0 });
    const known = { ...asking, identity: { server: SERVER, ca: cluster.ca.pem } };
    const found = await examined(joined({ files: {}, send }), known);
    expect(found.map(({ check, state }) => [check, state])).toEqual([
      ['identity', 'note'],
      ['kubelet', 'ok'],
      ['api-server', 'ok'],
      ['clock', 'ok'],
    ]);
  });
});
