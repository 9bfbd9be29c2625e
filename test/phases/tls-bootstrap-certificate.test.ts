import { describe, expect, test } from 'vitest';
import type { CsrObject } from '../../engine/node/index.ts';
import { createCsr, generateKeyPem } from '../../engine/pki/index.ts';
import { certificateProblems, conflictWith, isIssued } from '../../phases/tls-bootstrap/certificate.ts';
import { ca, key, subject } from '../helpers/bootstrap.ts';
import { DAY_MS, issue, NOW } from '../helpers/cluster.ts';
import { joinErrorOf } from '../helpers/errors.ts';

describe('problems of an issued certificate', () => {
  const problemsOf = (how: Parameters<typeof issue>[1] = {}, keyPem = key) =>
    certificateProblems(issue(ca, { keyPem: key, ...how }).pem, keyPem, subject, NOW);
  const later = new Date(NOW.getTime() + DAY_MS);
  const earlier = new Date(NOW.getTime() - 1_000);

  test.each<[string, Parameters<typeof issue>[1], string[]]>([
    ['no problem', {}, []],
    ['another key', { keyPem: generateKeyPem() }, ['it does not match the private key']],
    ['another name', { user: 'system:node:w2' }, ['its subject is system:node:w2, not system:node:w1']],
    ['other groups', { groups: ['system:masters'] }, ['its groups are system:masters, not system:nodes']],
    [
      'more groups',
      { groups: ['system:nodes', 'system:masters'] },
      ['its groups are system:nodes,system:masters, not system:nodes'],
    ],
    ['another use', { use: 'server' }, ['it does not allow client authentication']],
    [
      'a start in the future',
      { notBefore: later },
      [`it is valid from ${later.toISOString()}, but the time is ${NOW.toISOString()}`],
    ],
    [
      'an end in the past',
      { notAfter: earlier },
      [`it expired at ${earlier.toISOString()}, and the time is ${NOW.toISOString()}`],
    ],
  ])('a certificate with %s', (_, how, expected) => {
    expect(problemsOf(how)).toEqual(expected);
  });

  test('a certificate may be followed by the CA that issued it, and by no other certificate', () => {
    const own = issue(ca, { keyPem: key }).pem;
    expect(certificateProblems(own + ca.pem, key, subject, NOW)).toEqual([]);
    const [stranger] = certificateProblems(own + issue(ca, { user: 'x' }).pem, key, subject, NOW);
    expect(stranger).toBe('the certificate x did not issue the one before it');
  });

  test('the check of an issued certificate lists all problems of it', () => {
    expect(
      problemsOf({ user: 'x', groups: [], use: 'server', notBefore: later, keyPem: generateKeyPem() }),
    ).toHaveLength(5);
  });

  test.each(['', 'nonsense', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'])(
    'the check of an issued certificate reports an unreadable certificate: %j',
    (pem) => {
      expect(certificateProblems(pem, key, subject, NOW)).toEqual(['it cannot be read']);
    },
  );
});

describe('the wait for a CSR', () => {
  const csr = (status?: CsrObject['status']): CsrObject => ({
    metadata: { name: 'c' },
    spec: { request: '', signerName: '', usages: [] },
    ...(status === undefined ? {} : { status }),
  });
  const approved = { type: 'Approved', status: 'True' };

  test.each<[string, CsrObject, boolean]>([
    ['is pending', csr(), false],
    ['is approved without a certificate', csr({ conditions: [approved] }), false],
    ['is approved with an empty certificate', csr({ conditions: [approved], certificate: '' }), false],
    ['is approved and signed', csr({ conditions: [approved], certificate: 'x' }), true],
  ])('a CSR that %s is issued: %s', (_, object, expected) => {
    expect(isIssued('c', object)).toBe(expected);
  });

  const facts = { csr: 'c', reason: 'Because', message: 'not you' };
  test.each<[string, CsrObject | undefined, string, object]>([
    [
      'was denied',
      csr({ conditions: [{ type: 'Denied', status: 'True', reason: 'Because', message: 'not\nyou' }] }),
      'E_CSR_DENIED',
      facts,
    ],
    [
      'was denied though signed',
      csr({
        conditions: [approved, { type: 'Denied', status: 'True', reason: 'Because', message: 'not you' }],
        certificate: 'x',
      }),
      'E_CSR_DENIED',
      facts,
    ],
    [
      'failed',
      csr({ conditions: [approved, { type: 'Failed', status: 'True', reason: 'Because', message: 'not you' }] }),
      'E_CSR_FAILED',
      facts,
    ],
    ['is gone', undefined, 'E_CSR_GONE', { csr: 'c' }],
  ])('a CSR that %s ends the wait', async (_, object, code, expected) => {
    const error = await joinErrorOf(() => isIssued('c', object));
    expect([error.code, error.facts]).toEqual([code, expected]);
  });

  test('the wait for a CSR recognizes its own CSR by key and name, not by its bytes', () => {
    const ours = createCsr(key, subject);
    const theirs = (pem: string): CsrObject => ({
      ...csr(),
      spec: { ...csr().spec, request: Buffer.from(pem).toString('base64') },
    });
    const again = createCsr(key, subject); // ECDSA signs differently each time
    expect(again).not.toBe(ours);
    expect(conflictWith(theirs(again), ours)).toBeUndefined();
  });
});
