/** Approval by the fleet: exactly the request that the machine reports. */
import { expect, test } from 'vitest';
import { problemOf, type ReportedRequest } from '../../../engine/fleet/steps/approval.ts';
import { tokenWithSecret } from '../../../engine/fleet/steps/token.ts';
import { kubeAccess } from '../../../engine/kube/access.ts';
import { type CsrObject, csrRef } from '../../../engine/node/index.ts';
import { createCsr, generateKeyPem, pinOf, publicKeyDer } from '../../../engine/pki/index.ts';
import type { Sandbox } from '../../../plugins/sandbox/index.ts';
import type { CertificateSigningRequest } from '../../../plugins/sandbox/objects.ts';
import { atEnd } from '../../helpers/endings.ts';
import { fleetScene, joinMachine } from '../../helpers/fleet.ts';

const MINUTES = { timeout: 180_000 };
const SIGNER = 'kubernetes.io/kube-apiserver-client-kubelet';
const USAGES = ['digital signature', 'client auth'];
const TOKEN_ID = 'abcdef';
const key = generateKeyPem();
const subject = { commonName: 'system:node:w1', organizations: ['system:nodes'] };
const reported: ReportedRequest = { csr: 'node-csr-x', node: 'w1', publicKey: pinOf(publicKeyDer(key)) };

const csrOf = (pem: string, spec: Partial<CsrObject['spec']> = {}): CsrObject => ({
  metadata: { name: reported.csr },
  spec: {
    request: Buffer.from(pem).toString('base64'),
    signerName: SIGNER,
    usages: USAGES,
    username: `system:bootstrap:${TOKEN_ID}`,
    ...spec,
  },
});
const own = createCsr(key, subject);

test('the request that the machine reported has no problem', () => {
  expect(problemOf(csrOf(own), reported, TOKEN_ID)).toBeUndefined();
});

test.each<[string, CsrObject, string]>([
  ['for another key', csrOf(createCsr(generateKeyPem(), subject)), 'it is for the key sha256:'],
  ['for another Node', csrOf(createCsr(key, { ...subject, commonName: 'system:node:w2' })), 'its subject is system:no'],
  ['for an admin', csrOf(createCsr(key, { ...subject, organizations: ['system:masters'] })), 'its subject is system:'],
  ['with an alternative name', csrOf(createCsr(key, subject, ['api.example'])), 'it requests alternative names'],
  ['for a server', csrOf(own, { usages: ['server auth'] }), 'its usages are server auth'],
  ['for another signer', csrOf(own, { signerName: 'example.com/any' }), 'its signer is example.com/any, not'],
  ['of another user', csrOf(own, { username: 'system:bootstrap:zzzzzz' }), 'system:bootstrap:zzzzzz requested it'],
  ['that is none', csrOf('x'), 'it is not a certificate request'],
])('a request %s is refused', (_, csr, problem) => {
  expect(problemOf(csr, reported, TOKEN_ID)).toContain(problem);
});

test('a machine joins although the cluster approves nothing by itself', MINUTES, async () => {
  const { sandbox, steps, context } = await fleetScene({ hosts: 1, autoApprove: false, approval: 'fleet' });
  await joinMachine(steps, context(0));
  const [csr] = csrsIn(sandbox);
  expect(csr?.status?.conditions).toMatchObject([{ type: 'Approved', reason: 'FleetApproved' }]);
});

test('a stolen token joins nothing, and the fleet reports the request that was sent with it', MINUTES, async () => {
  const { sandbox, cluster, steps, context } = await fleetScene({ hosts: 1, autoApprove: false, approval: 'fleet' });
  const id = await steps.token(context(0));
  const token = await tokenWithSecret(cluster, context(0), id);
  const access = kubeAccess.connect(() => new Date());
  atEnd(() => access.close());
  const ref = csrRef('node-csr-of-a-thief');
  const thief = createCsr(generateKeyPem(), { ...subject, commonName: 'system:node:thief' });
  const { metadata: _, ...body } = csrOf(thief);
  const { spec } = body;
  const { status } = await access.send(
    {
      server: `https://${sandbox.endpoint}`,
      as: { server: `https://${sandbox.endpoint}`, ca: sandbox.caPem, token },
      method: 'POST',
      ref,
      path: '/apis/certificates.k8s.io/v1/certificatesigningrequests',
      query: {},
      body: { apiVersion: ref.apiVersion, kind: 'CertificateSigningRequest', metadata: { name: ref.name }, spec },
    },
    new AbortController().signal,
  );
  expect(status).toBe(201);
  await expect(joinMachine(steps, context(0))).rejects.toMatchObject({
    code: 'E_FLEET_CSR',
    message: expect.stringContaining('node-csr-of-a-thief'),
  });
  expect(sandbox.store.list('nodes').map(({ metadata }) => metadata.name)).toEqual(['w1']);
  expect(csrsIn(sandbox).find(({ metadata }) => metadata.name === ref.name)?.status).toEqual({});
});

test('a machine that reports the name of another one is not approved', MINUTES, async () => {
  const { sandbox, steps, context } = await fleetScene({ hosts: 2, autoApprove: false, approval: 'fleet' });
  const { host } = context(0);
  const disguised = context(0, { host: { ...host, variables: { ...host.variables, nodeName: 'w2' } } });
  await expect(joinMachine(steps, disguised)).rejects.toMatchObject({
    code: 'E_FLEET_CSR',
    message: expect.stringContaining('w2 is the name of another machine of the fleet'),
  });
  expect(sandbox.store.list('nodes')).toEqual([]);
});

const csrsIn = (sandbox: Sandbox) => sandbox.store.list<CertificateSigningRequest>('certificatesigningrequests');
