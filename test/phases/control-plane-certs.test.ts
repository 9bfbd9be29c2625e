import { describe, expect, test } from 'vitest';
import { generateKeyPem, readCertificates } from '../../engine/pki/index.ts';
import { memoryHost } from '../../engine/testing/memory-host.ts';
import controlPlaneCerts from '../../phases/control-plane-certs/index.ts';
import { NOW } from '../helpers/cluster.ts';
import { itKeepsThePhaseContract, runPhase } from '../helpers/contract.ts';
import {
  ADDRESS,
  apiServerPair,
  authorityFiles,
  CONFIGURATION,
  controlPlaneMachine,
  PKI,
  SHARED,
} from '../helpers/control-plane.ts';
import { glimpseOf } from '../helpers/node.ts';

/** Elliptic keys, because a test makes many of them. */
const clusterConfiguration = { ...CONFIGURATION, encryptionAlgorithm: 'ECDSA-P256' };
const input = { clusterConfiguration, nodeName: 'cp2', advertiseAddress: ADDRESS };
/** Three certificates instead of seven. */
const external = { endpoints: ['https://etcd:2379'], caFile: '/e/ca.crt', certFile: '/e/c.crt', keyFile: '/e/c.key' };
const withExternalEtcd = { ...input, clusterConfiguration: { ...clusterConfiguration, etcd: { external } } };

const NAMES = [
  'cp2',
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
  'cluster.test',
  '10.96.0.1',
  ADDRESS,
];
const ALL_NAMES = [...NAMES, 'kubernetes.default.svc.cluster.local'];
const UNTIL_NEXT_YEAR = { altNames: ALL_NAMES, toDays: 365 };

/** Two of the three certificates are there: the contract runs the phase many times, and issuing takes a while. */
const pair = apiServerPair(UNTIL_NEXT_YEAR);
const kept = {
  ...pair,
  'apiserver-kubelet-client.crt': pair['apiserver.crt'],
  'apiserver-kubelet-client.key': pair['apiserver.key'],
};

itKeepsThePhaseContract(controlPlaneCerts, {
  input: withExternalEtcd,
  machine: () => controlPlaneMachine(kept),
  secrets: [glimpseOf(SHARED['ca.key'] ?? ''), glimpseOf(SHARED['sa.key'] ?? '')],
});

async function run(changed: Record<string, string | undefined>, inputs: object = input) {
  const host = memoryHost(controlPlaneMachine(changed));
  const { error } = await runPhase(controlPlaneCerts, inputs as Record<string, unknown>, host);
  const text = async (name: string) =>
    (await host.read<'file'>({ kind: 'file', path: `${PKI}/${name}` }, new AbortController().signal))?.toString() ?? '';
  return { error, changes: host.changes, text };
}

describe('control-plane-certs', () => {
  test('control-plane-certs keeps a certificate that fits', async () => {
    const pair = apiServerPair(UNTIL_NEXT_YEAR);
    const { error, text } = await run(pair);
    expect([error, await text('apiserver.crt')]).toEqual([undefined, pair['apiserver.crt']]);
  });

  test.each([
    [
      'lacks a name of this machine',
      apiServerPair({ ...UNTIL_NEXT_YEAR, altNames: NAMES }),
      `${PKI}/apiserver.crt is not valid for kubernetes.default.svc.cluster.local`,
    ],
    [
      'has expired',
      apiServerPair({ ...UNTIL_NEXT_YEAR, toDays: 0 }),
      `${PKI}/apiserver.crt expired at ${NOW.toISOString()}`,
    ],
    [
      'was issued by another CA',
      apiServerPair({ ...UNTIL_NEXT_YEAR, caKey: generateKeyPem() }),
      `${PKI}/apiserver.crt was not issued by kubernetes`,
    ],
    [
      'is not for the key beside it',
      { ...apiServerPair(UNTIL_NEXT_YEAR), 'apiserver.key': generateKeyPem() },
      `${PKI}/apiserver.crt is not for the key beside it`,
    ],
  ])('control-plane-certs refuses a certificate that %s, and writes nothing', async (_, pair, problem) => {
    const { error, changes } = await run(pair);
    expect(error).toMatchObject({ code: 'E_CONTROL_PLANE_CERTIFICATES', facts: { problems: [problem] } });
    expect(changes).toEqual([]);
  });

  test('control-plane-certs reports each CA that is missing or has another key, and a missing sa.key', async () => {
    const changed = { 'ca.crt': undefined, 'etcd/ca.key': generateKeyPem(), 'sa.key': undefined };
    const { error, changes } = await run(changed);
    expect(error).toMatchObject({
      facts: {
        problems: [
          `${PKI}/ca.crt does not exist`,
          `${PKI}/etcd/ca.key is not the key of ${PKI}/etcd/ca.crt`,
          `${PKI}/sa.key, which must be the same on every control plane, does not exist`,
        ],
      },
    });
    expect(changes).toEqual([]);
  });

  test('never makes a CA: without its key, every certificate of it has to be there', async () => {
    const { error } = await run({ 'front-proxy-ca.key': undefined });
    expect(error).toMatchObject({
      facts: {
        problems: [
          `${PKI}/front-proxy-client.crt does not exist, and ${PKI}/front-proxy-ca.key, which could issue it, does not exist`,
        ],
      },
    });
  });

  test('control-plane-certs refuses a file that is not the certificate of a CA', async () => {
    const { 'apiserver.crt': leaf } = apiServerPair(UNTIL_NEXT_YEAR);
    const { error } = await run({ 'etcd/ca.crt': leaf });
    expect(error).toMatchObject({ facts: { problems: [`${PKI}/etcd/ca.crt is not the certificate of a CA`] } });
  });

  test('control-plane-certs creates no certificate for etcd if the cluster has an external one', async () => {
    const { changes } = await run({}, withExternalEtcd);
    expect(changes.filter((change) => 'path' in change && change.path.includes('etcd'))).toEqual([]);
  });

  test.each([
    ['ECDSA-P384', 'ec', 'secp384r1'],
    ['RSA-2048', 'rsa', 2048],
  ])('control-plane-certs creates keys of the algorithm %s', async (encryptionAlgorithm, type, size) => {
    const configuration = { ...withExternalEtcd.clusterConfiguration, encryptionAlgorithm };
    const { text } = await run({}, { ...input, clusterConfiguration: configuration });
    const { publicKey } = readCertificates(await text('apiserver.crt'))[0]?.x509 ?? {};
    const details = publicKey?.asymmetricKeyDetails;
    expect([publicKey?.asymmetricKeyType, details?.namedCurve ?? details?.modulusLength]).toEqual([type, size]);
  });

  test('signs with the hash that belongs to a CA with a key on P-384', async () => {
    const { certificate, key } = authorityFiles('front-proxy-ca', 'ECDSA-P384');
    const { text } = await run({ 'front-proxy-ca.crt': certificate, 'front-proxy-ca.key': key });
    const [ca] = readCertificates(certificate);
    const [leaf] = readCertificates(await text('front-proxy-client.crt'));
    expect(ca !== undefined && leaf?.x509.verify(ca.x509.publicKey)).toBe(true);
  });

  test('control-plane-certs writes the public key of service accounts if only the private one is there', async () => {
    const { text } = await run({ 'sa.pub': undefined });
    expect(await text('sa.pub')).toBe(SHARED['sa.pub']);
  });

  test('control-plane-certs puts the configured names into the certificates, except invalid ones', async () => {
    const configuration = {
      ...clusterConfiguration,
      apiServer: { certSANs: ['LB.example.com', '192.0.2.7', 'no name'] },
      etcd: { local: { serverCertSANs: ['etcd.example.com'] } },
    };
    const { text, error } = await run({}, { ...input, clusterConfiguration: configuration });
    expect(error).toBeUndefined();
    const names = (pem: string) => readCertificates(pem)[0]?.x509.subjectAltName;
    expect(names(await text('apiserver.crt'))).toContain('DNS:lb.example.com');
    expect(names(await text('apiserver.crt'))).toContain('IP Address:192.0.2.7');
    expect(names(await text('etcd/server.crt'))).toContain('DNS:etcd.example.com');
  });
});
