import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { fitsKey, isIssuedBy, readCertificates, readCsr } from '../../../engine/pki/index.ts';
import { type Sandbox, startSandbox } from '../../../plugins/sandbox/index.ts';
import type { CertificateSigningRequest } from '../../../plugins/sandbox/objects.ts';
import { admin, ask, CSRS, csrObject, firstEvent, nodeClient, SIGNER, watch } from './client.ts';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox();
});
afterAll(() => sandbox.close());
beforeEach(() => {
  sandbox.autoApprove = true;
});

const send = (body: object) => ask(sandbox, CSRS, { method: 'POST', token: sandbox.token, body });
const statusOf = (object: object) => (object as CertificateSigningRequest).status ?? {};
const conditionsOf = (object: object) =>
  statusOf(object).conditions?.map(({ type, reason }) => `${type}: ${reason}`) ?? [];
const isSettled = ({ object }: { object: object }) =>
  statusOf(object).certificate !== undefined || conditionsOf(object).some((text) => text.startsWith('Failed'));

/** The CSR after its controllers have finished. */
const settled = async (name: string) =>
  (
    await firstEvent(
      watch(sandbox, `${CSRS}?fieldSelector=metadata.name=${name}&timeoutSeconds=5`, { token: sandbox.token }),
      isSettled,
    )
  ).object;

async function approve(name: string, conditions: object[]) {
  const identity = admin(sandbox);
  const { json } = await ask(sandbox, `${CSRS}/${name}`, { identity });
  return ask(sandbox, `${CSRS}/${name}/approval`, {
    method: 'PUT',
    identity,
    body: { ...json, status: { conditions } },
  });
}
const APPROVED = { type: 'Approved', status: 'True', reason: 'KubectlApprove', message: 'by hand' };
const DENIED = { type: 'Denied', status: 'True', reason: 'KubectlDeny', message: 'by hand' };

describe('a CSR of a kubelet', () => {
  test('a CSR is approved and signed, and a watch from its creation sees each step once', async () => {
    const { code, json } = await send(csrObject('w1'));
    expect(code).toBe(201);
    expect(json.metadata.name).toMatch(/^csr-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    const { name, resourceVersion } = json.metadata;
    const query = `fieldSelector=metadata.name%3D${name}&resourceVersion=${resourceVersion}`;
    const seen = [];
    for await (const event of watch(sandbox, `${CSRS}?${query}`, { token: sandbox.token })) {
      seen.push(event);
      if (isSettled(event)) break;
    }
    expect(seen.map(({ type }) => type)).toEqual(['MODIFIED', 'MODIFIED']);
    expect(seen.map(({ object }) => conditionsOf(object))).toEqual([
      ['Approved: AutoApproved'],
      ['Approved: AutoApproved'],
    ]);
    const versions = [resourceVersion, ...seen.map(({ object }) => object.metadata.resourceVersion)].map(Number);
    expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
  });

  test('a CSR gets the requested certificate from the cluster CA', async () => {
    const { json } = await send(csrObject('w1'));
    const [certificate] = readCertificates(
      Buffer.from(statusOf(await settled(json.metadata.name)).certificate ?? '', 'base64').toString(),
    );
    if (certificate === undefined) throw new Error('no certificate');
    expect(certificate).toMatchObject({
      commonName: 'system:node:w1',
      organizations: ['system:nodes'],
      extendedKeyUsages: ['1.3.6.1.5.5.7.3.2'],
    });
    expect(isIssuedBy(certificate, sandbox.caPem)).toBe(true);
    const { publicKey } = readCsr(Buffer.from((json.spec as { request: string }).request, 'base64').toString());
    expect(certificate.x509.publicKey.export({ type: 'spki', format: 'der' })).toEqual(publicKey);
    expect(fitsKey(certificate, sandbox.caKeyPem)).toBe(false);
    expect(Math.round((Date.now() - certificate.notBefore.getTime()) / 60_000)).toBe(5);
    expect(certificate.notAfter.getTime() - certificate.notBefore.getTime()).toBe(365 * 86_400_000);
  });

  test('a CSR waits while automatic approval is off, and is signed when a person approves it', async () => {
    sandbox.autoApprove = false;
    const { json } = await send(csrObject('w1'));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await ask(sandbox, `${CSRS}/${json.metadata.name}`, { token: sandbox.token })).json.status).toEqual({});
    expect((await approve(json.metadata.name, [APPROVED])).code).toBe(200);
    const signed = await settled(json.metadata.name);
    expect(conditionsOf(signed)).toEqual(['Approved: KubectlApprove']);
    expect(statusOf(signed).conditions?.[0]?.lastUpdateTime).toMatch(/Z$/);
  });

  test('a waiting CSR is approved when automatic approval is on again', async () => {
    sandbox.autoApprove = false;
    const { json } = await send(csrObject('w1'));
    sandbox.autoApprove = true;
    expect(conditionsOf(await settled(json.metadata.name))).toEqual(['Approved: AutoApproved']);
  });

  test('a denied CSR is never signed or approved afterwards', async () => {
    sandbox.autoApprove = false;
    const { json } = await send(csrObject('w1'));
    await approve(json.metadata.name, [DENIED]);
    sandbox.autoApprove = true;
    expect((await approve(json.metadata.name, [APPROVED, DENIED])).code).toBe(422);
    expect((await approve(json.metadata.name, [APPROVED])).code).toBe(422);
    const { status } = (await ask(sandbox, `${CSRS}/${json.metadata.name}`, { token: sandbox.token })).json;
    expect(status).toMatchObject({ conditions: [{ type: 'Denied' }] });
    expect(status).not.toHaveProperty('certificate');
  });

  test('a CSR of a node that renews its certificate is approved as its own', async () => {
    const identity = nodeClient(sandbox, 'w1');
    const { json } = await ask(sandbox, CSRS, { method: 'POST', identity, body: csrObject('w1') });
    expect(statusOf(await settled(json.metadata.name)).conditions?.[0]?.message).toContain('self kubelet');
  });

  test('a CSR that a node creates for another node is not approved', async () => {
    const identity = nodeClient(sandbox, 'w1');
    const { json } = await ask(sandbox, CSRS, { method: 'POST', identity, body: csrObject('w2') });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(conditionsOf(sandbox.store.get('certificatesigningrequests', json.metadata.name) ?? {})).toEqual([]);
  });

  test.each([
    ['another organization', { organizations: ['system:masters'] }, 'subject organization is not system:nodes'],
    ['usages that a kubelet does not need', { spec: { usages: ['server auth'] } }, 'usages did not match'],
  ])('a CSR with %s stays pending, and signing fails when a person approves it', async (_, changes, message) => {
    const { json } = await send(csrObject('w1', changes));
    await approve(json.metadata.name, [APPROVED]);
    const failed = await settled(json.metadata.name);
    expect(conditionsOf(failed)).toEqual(['Approved: KubectlApprove', 'Failed: SignerValidationFailure']);
    expect(statusOf(failed).conditions?.[1]?.message).toContain(message);
  });

  test('a CSR for another signer is not signed', async () => {
    const { json } = await send(csrObject('w1', { spec: { signerName: 'example.com/other' } }));
    await approve(json.metadata.name, [APPROVED]);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(sandbox.store.get('certificatesigningrequests', json.metadata.name)?.status).not.toHaveProperty(
      'certificate',
    );
  });

  test('a certificate does not outlive the requested time', async () => {
    const { json } = await send(csrObject('w1', { spec: { expirationSeconds: 600 } }));
    const [certificate] = readCertificates(
      Buffer.from(statusOf(await settled(json.metadata.name)).certificate ?? '', 'base64').toString(),
    );
    expect((certificate?.notAfter.getTime() ?? 0) - (certificate?.notBefore.getTime() ?? 0)).toBe(600_000);
  });
});

describe('a CSR is refused', () => {
  test.each([
    ['without a signer', { signerName: undefined }, 'spec.signerName'],
    ['with a signer that has no domain', { signerName: 'kubelet' }, 'spec.signerName'],
    ['without usages', { usages: undefined }, 'spec.usages'],
    ['with an unknown usage', { usages: ['fun'] }, 'spec.usages[0]'],
    ['without a request', { request: undefined }, 'spec.request'],
    ['with a request that is not PEM', { request: 'bm8=' }, 'spec.request'],
    ['with too short a life', { expirationSeconds: 60 }, 'spec.expirationSeconds'],
  ])('a CSR is refused: %s', async (_, spec, field) => {
    const { code, json } = await send(csrObject('w1', { spec }));
    expect({ code, reason: json.reason }).toEqual({ code: 422, reason: 'Invalid' });
    expect(json.details).toMatchObject({
      group: 'certificates.k8s.io',
      kind: 'CertificateSigningRequest',
      causes: [{ field }],
    });
  });
  test('a CSR is refused when its name is in use', async () => {
    const body = csrObject('w1', { metadata: { generateName: undefined, name: 'node-csr-1' } });
    await send(body);
    const { code, json } = await send(body);
    expect(code).toBe(409);
    expect(json).toMatchObject({
      reason: 'AlreadyExists',
      message: 'certificatesigningrequests.certificates.k8s.io "node-csr-1" already exists',
      details: { name: 'node-csr-1', group: 'certificates.k8s.io', kind: 'certificatesigningrequests' },
    });
  });
});

test('an update of a CSR changes neither spec nor status, and an approval changes only its conditions', async () => {
  sandbox.autoApprove = false;
  const identity = admin(sandbox);
  const { json } = await send(csrObject('w1'));
  const path = `${CSRS}/${json.metadata.name}`;
  const tampered = {
    ...json,
    spec: { signerName: 'example.com/x' },
    status: { conditions: [APPROVED], certificate: 'AAAA' },
  };
  const put = await ask(sandbox, path, { method: 'PUT', identity, body: tampered });
  expect(put.json).toMatchObject({ spec: { signerName: SIGNER }, status: {} });
  const approval = await ask(sandbox, `${path}/approval`, { method: 'PUT', identity, body: tampered });
  expect(statusOf(approval.json)).not.toHaveProperty('certificate');
  const status = await ask(sandbox, `${path}/status`, {
    method: 'PUT',
    identity,
    body: { ...json, metadata: { name: json.metadata.name }, status: { conditions: [] } },
  });
  expect(status.code).toBe(422);
});
