import { describe, expect, test } from 'vitest';
import { sdk } from '../../../bin/plugins/sdk.ts';
import { recordingHost } from '../../../engine/host/recording.ts';
import { type CsrObject, paths } from '../../../engine/node/index.ts';
import { createCsr, generateKeyPem, readCertificates, readCsr, SERVER_AUTH } from '../../../engine/pki/index.ts';
import { type MemoryMachine, memoryHost } from '../../../engine/testing/memory-host.ts';
import { servingCert as make } from '../../../plugins/serving-cert/index.ts';
import { type ClientCertificate, FakeCluster, issue, NOW, SERVER } from '../../helpers/cluster.ts';
import { itKeepsThePhaseContract, runPhase } from '../../helpers/contract.ts';
import { glimpseOf, heldIdentity } from '../../helpers/node.ts';

const servingCert = make(sdk);
const KEY = generateKeyPem();
const SIGNAL = new AbortController().signal;
const INPUT = { addresses: ['10.0.0.7', 'fd00::7', 'w1.example'] };

function joining(how: ClientCertificate & { altNames?: string[] } = {}, config = 'serverTLSBootstrap: true\n') {
  const cluster = new FakeCluster();
  const identity = issue(cluster.ca);
  cluster.decide = (csr: CsrObject) => cluster.signed(csr, { use: 'server', ...how });
  const machine = (): MemoryMachine => {
    cluster.objects.clear();
    return {
      now: () => NOW,
      send: cluster.send,
      wait: cluster.wait,
      outputs: { 'ip -json route get api.example': { stdout: '[{"dst":"10.0.0.1","prefsrc":"10.0.0.9","uid":0}]' } },
      files: { ...heldIdentity(SERVER, cluster.ca.pem, identity), [paths.kubeletConfig]: config },
    };
  };
  return { cluster, machine, identity };
}

const kept = joining();
itKeepsThePhaseContract(servingCert, {
  input: INPUT,
  machine: kept.machine,
  once: { 'serving-key': KEY },
  secrets: [glimpseOf(kept.identity.keyPem), glimpseOf(KEY)],
});

describe('serving-cert', () => {
  test('serving-cert requests a certificate, explains the approval, and installs it', async () => {
    const { cluster, machine } = joining();
    const host = memoryHost(machine());
    const { error, result, changes } = await runPhase(servingCert, INPUT, host);
    expect(error).toBeUndefined();
    const [csr] = [...cluster.objects.values()] as CsrObject[];
    expect(csr?.spec).toMatchObject({
      signerName: 'kubernetes.io/kubelet-serving',
      usages: ['digital signature', 'key encipherment', 'server auth'],
    });
    expect(readCsr(Buffer.from(csr?.spec.request ?? '', 'base64').toString())).toMatchObject({
      commonName: 'system:node:w1',
      organizations: ['system:nodes'],
      signatureValid: true,
      altNames: ['w1', '10.0.0.7', 'fd00:0:0:0:0:0:0:7', 'w1.example'],
    });
    const name = csr?.metadata.name;
    expect(result.steps[0]?.notes).toContainEqual({
      level: 'warn',
      text: `${name} needs manual approval: kubectl certificate approve ${name}`,
    });
    const file = '/var/lib/kubelet/pki/kubelet-server-2026-03-04-05-06-07.pem';
    expect(changes.slice(1)).toEqual([
      { kind: 'file', path: file, action: 'create', mode: 0o600 },
      { kind: 'link', path: '/var/lib/kubelet/pki/kubelet-server-current.pem', target: file },
    ]);
    const pem = (await host.read<'file'>({ kind: 'file', path: file }, SIGNAL))?.toString() ?? '';
    expect(readCertificates(pem)[0]?.extendedKeyUsages).toEqual([SERVER_AUTH]);
  });

  test("serving-cert determines the server's address if no address is configured", async () => {
    const { cluster, machine } = joining();
    await runPhase(servingCert, { addresses: [] }, memoryHost(machine()));
    const [csr] = [...cluster.objects.values()] as CsrObject[];
    expect(readCsr(Buffer.from(csr?.spec.request ?? '', 'base64').toString()).altNames).toEqual(['w1', '10.0.0.9']);
  });

  test.each<[string, Parameters<typeof joining>[0], string]>([
    ['another key', { keyPem: generateKeyPem() }, 'it does not match the private key'],
    ['another node', { user: 'system:node:w2' }, 'its subject is system:node:w2, not system:node:w1'],
    ['clients', { use: 'client' }, 'it does not allow server authentication'],
    ['fewer names', { altNames: ['w1'] }, 'it does not include 10.0.0.7'],
    ['another time', { notAfter: new Date(NOW.getTime() - 1) }, 'it is not valid now'],
  ])('serving-cert does not write a certificate for %s', async (_, how, problem) => {
    const { machine } = joining(how);
    const { error, changes } = await runPhase(servingCert, INPUT, memoryHost(machine()));
    expect(error).toMatchObject({ code: 'E_CERTIFICATE_WRONG' });
    expect((error as Error).message).toContain(problem);
    expect(changes.map(({ kind }) => kind)).toEqual(['api']);
  });

  test('serving-cert fails if the request is denied', async () => {
    const { machine, cluster } = joining();
    cluster.decide = (csr) => ({
      ...csr,
      status: { conditions: [{ type: 'Denied', reason: 'Unknown', message: 'no' }] },
    });
    const { error } = await runPhase(servingCert, INPUT, memoryHost(machine()));
    expect(error).toMatchObject({ code: 'E_CSR_DENIED' });
  });

  test.each([
    ['', 'its configuration lacks serverTLSBootstrap: true, so it would not use one'],
    ['serverTLSBootstrap: false\n', 'its configuration lacks serverTLSBootstrap: true, so it would not use one'],
  ])('serving-cert refuses a kubelet that would not use the certificate: %j', async (config, what) => {
    const { error } = await runPhase(servingCert, INPUT, memoryHost(joining({}, config).machine()));
    expect(error).toMatchObject({
      code: 'E_SERVING_CERT',
      message: `cannot get a serving certificate for the kubelet: ${what}`,
    });
  });

  test('serving-cert writes nothing in a dry run', async () => {
    const { machine, cluster } = joining();
    const { result } = await runPhase(servingCert, INPUT, recordingHost(memoryHost(machine())));
    expect([result.status, cluster.objects.size]).toEqual(['succeeded', 0]);
  });
});

test('a CSR contains the requested alternative names, and none by default', () => {
  const names = ['a.example', '10.0.0.1', '2001:db8:0:0:0:0:0:1'];
  const subject = { commonName: 'x', organizations: [] };
  expect(readCsr(createCsr(KEY, subject, names))).toMatchObject({ altNames: names, asksExtensions: true });
  expect(readCsr(createCsr(KEY, subject))).toMatchObject({ altNames: [], asksExtensions: false });
});
