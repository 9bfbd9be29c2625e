import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { generateKeyPem, generateSealKey, openSealed, publicKeyPem, seal } from '../../engine/pki/index.ts';
import { memoryHost } from '../../engine/testing/memory-host.ts';
import downloadCerts from '../../phases/download-certs/index.ts';
import { authority, FakeCluster, NOW, SERVER, TOKEN } from '../helpers/cluster.ts';
import { itKeepsThePhaseContract, runPhase } from '../helpers/contract.ts';
import { authorityFiles, CONFIGURATION, PKI, SHARED } from '../helpers/control-plane.ts';
import { glimpseOf } from '../helpers/node.ts';

const KEY = generateSealKey();
const CA = { pem: SHARED['ca.crt'] ?? '', key: SHARED['ca.key'] ?? '' };
const identity = { server: SERVER, ca: CA.pem, token: TOKEN };
const input = { identity, certificateKey: KEY, clusterConfiguration: CONFIGURATION };
const REF = { apiVersion: 'v1', resource: 'secrets', namespace: 'kube-system', name: 'kubeadm-certs' };

/** The data keys of a whole Secret. */
const uploaded = (changed: Record<string, string | undefined> = {}): Record<string, string> => {
  const all = Object.entries(SHARED).map(([path, content]) => [path.replace('/', '-'), content]);
  const contents: Record<string, string | undefined> = { ...Object.fromEntries(all), ...changed };
  return Object.fromEntries(
    Object.entries(contents).flatMap(([name, content]) =>
      content === undefined ? [] : [[name, content === '' ? '' : seal(KEY, Buffer.from(content)).toString('base64')]],
    ),
  );
};

function machineWith(data: Record<string, string> | undefined) {
  const cluster = new FakeCluster(authority());
  if (data !== undefined) cluster.put(REF, { data });
  return { now: () => NOW, directories: ['/etc/kubernetes'], send: cluster.send };
}

itKeepsThePhaseContract(downloadCerts, {
  input,
  machine: () => machineWith(uploaded()),
  secrets: [KEY, glimpseOf(CA.key), glimpseOf(SHARED['sa.key'] ?? '')],
});

async function run(data: Record<string, string> | undefined, inputs: object = {}) {
  const host = memoryHost(machineWith(data));
  const { error } = await runPhase(downloadCerts, { ...input, ...inputs }, host);
  const files = host.changes.flatMap((change) => (change.kind === 'file' ? [change] : []));
  return { error, host, files };
}

describe('download-certs', () => {
  test('download-certs writes the files that all control planes share, keys for root alone', async () => {
    const { error, files } = await run(uploaded());
    expect(error).toBeUndefined();
    expect(files.map(({ path, mode }) => `${path.slice(PKI.length + 1)} ${mode.toString(8)}`)).toEqual([
      'ca.crt 644',
      'ca.key 600',
      'front-proxy-ca.crt 644',
      'front-proxy-ca.key 600',
      'sa.pub 644',
      'sa.key 600',
      'etcd/ca.crt 644',
      'etcd/ca.key 600',
    ]);
  });

  test('download-certs does nothing without a certificate key', async () => {
    const { error, host } = await run(undefined, { certificateKey: undefined });
    expect([error, host.changes, host.sent]).toEqual([undefined, [], []]);
  });

  test('continues without the key of an external CA', async () => {
    const { error, files } = await run(uploaded({ 'ca.key': '' }));
    expect([error, files.some(({ path }) => path.endsWith('/pki/ca.key'))]).toEqual([undefined, false]);
  });

  test.each([
    ['the Secret does not exist', undefined, 'it does not exist, or no longer'],
    ['a file is missing', uploaded({ 'sa.key': undefined }), 'it has no sa.key'],
    ['the certificate of a CA is empty', uploaded({ 'etcd-ca.crt': '' }), 'etcd-ca.crt is empty'],
    ['a certificate is something else', uploaded({ 'ca.crt': 'hello' }), 'ca.crt: it has no certificate'],
    ['a key is something else', uploaded({ 'sa.key': 'hello' }), 'sa.key: it contains no private key'],
    [
      'a key belongs to another CA',
      uploaded({ 'etcd-ca.key': generateKeyPem() }),
      'etcd-ca.key is not the key of etcd-ca.crt',
    ],
  ])('download-certs refuses the Secret if %s, and writes nothing', async (_, data, what) => {
    const { error, files } = await run(data);
    expect(error).toMatchObject({ code: 'E_CERTS_SECRET', facts: { what } });
    expect(files).toEqual([]);
  });

  test.each([
    ['another key', uploaded(), { certificateKey: generateSealKey() }, 'it was encrypted with another key, or changed'],
    ['a value that is too short', { ...uploaded(), 'ca.crt': 'AAAA' }, {}, 'it has only 3 bytes'],
  ])('download-certs refuses %s, and writes nothing', async (_, data, inputs, what) => {
    const { error, files } = await run(data, inputs);
    expect(error).toMatchObject({ code: 'E_CERTIFICATE_KEY', facts: { file: 'ca.crt', what } });
    expect(files).toEqual([]);
  });

  test('download-certs refuses a CA that discovery did not verify, and writes nothing', async () => {
    const { certificate, key } = authorityFiles('kubernetes');
    const { error, files } = await run(uploaded({ 'ca.crt': certificate, 'ca.key': key }));
    expect(error).toMatchObject({ code: 'E_CERTS_CA' });
    expect(files).toEqual([]);
  });

  test('download-certs writes a certificate without the private key beside it', async () => {
    const { host } = await run(
      uploaded({ 'front-proxy-ca.crt': `${SHARED['front-proxy-ca.crt']}${generateKeyPem()}` }),
    );
    const path = `${PKI}/front-proxy-ca.crt`;
    const written = await host.read<'file'>({ kind: 'file', path }, new AbortController().signal);
    expect(written?.toString()).toBe(SHARED['front-proxy-ca.crt']);
  });

  test('download-certs writes the files for an external etcd to the places that the cluster names', async () => {
    const etcd = authorityFiles('etcd');
    const external = {
      endpoints: ['https://e:2379'],
      caFile: '/srv/e/ca.crt',
      certFile: '/srv/e/c.crt',
      keyFile: '/srv/e/c.key',
    };
    const data = uploaded({
      'external-etcd-ca.crt': etcd.certificate,
      'external-etcd.crt': etcd.certificate,
      'external-etcd.key': etcd.key,
    });
    const { error, files } = await run(data, { clusterConfiguration: { ...CONFIGURATION, etcd: { external } } });
    expect(error).toBeUndefined();
    expect(files.map(({ path }) => path).filter((path) => !path.startsWith(PKI))).toEqual(
      Object.values(external).slice(1),
    );
  });
});

describe('encryption of the shared files', () => {
  const vector = JSON.parse(readFileSync(join(import.meta.dirname, '../vectors/aes-gcm.json'), 'utf8')) as {
    certificateKeyHex: string;
    blobs: Record<string, { plaintextBytes: number; blobBase64: string }>;
  };
  test.each(Object.entries(vector.blobs))(
    'decrypts %s as kubeadm encrypted it',
    (_, { plaintextBytes, blobBase64 }) => {
      expect(openSealed(vector.certificateKeyHex, Buffer.from(blobBase64, 'base64'))).toHaveLength(plaintextBytes);
    },
  );

  test('a public key is written as Go writes it', () => {
    expect(publicKeyPem(generateKeyPem())).toMatch(/^-----BEGIN PUBLIC KEY-----\n/);
  });
});
