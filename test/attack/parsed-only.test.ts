/** Kind C: one thing is checked, another is used. Files contain only what was parsed, encoded from what was parsed. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { generateKeyPem } from '../../engine/pki/index.ts';
import { isJoinError, revealSecrets } from '../../engine/sdk/index.ts';
import { memoryHost } from '../../engine/testing/memory-host.ts';
import { bootstrap, ca as bootstrapCa, machineIn } from '../helpers/bootstrap.ts';
import { FakeCluster, SERVER } from '../helpers/cluster.ts';
import {
  base64,
  ca,
  certified,
  client,
  discover,
  FILE,
  kubeconfig,
  machineOf,
  outputsOf,
} from '../helpers/discovery-file.ts';
import { clusterIn, kubeletConfOf, pinsOf } from '../helpers/kubelet-conf.ts';

const CA_DATA = base64(ca.pem);
const fileWith = (server: string, more: Record<string, unknown> = { 'certificate-authority-data': CA_DATA }) =>
  JSON.stringify({ clusters: [{ name: '', cluster: { server, ...more } }] });
const keyLine = (pem: string): string => pem.split('\n')[1] ?? '';

describe('kind C: the server of a discovery file', () => {
  test.each([
    ['lines of YAML in the password', 'https://:a\n    insecure-skip-tls-verify: true\n    x: y@api.example:6443'],
    ['a line break in the port', 'https://api.example:64\n43'],
    ['a tab in the host', 'https://api.\texample:6443'],
    ['a password', 'https://:pw@api.example:6443'],
    ['a user', 'https://me@api.example:6443'],
    ['a fragment', 'https://api.example:6443/#x'],
    ['a query', 'https://api.example:6443/?x'],
    ['an empty query', 'https://api.example:6443?'],
    ['a path', 'https://api.example:6443/api'],
    ['a backslash', 'https:\\\\api.example:6443'],
    ['a space at its end', 'https://api.example:6443 '],
    ['port 0', 'https://api.example:0'],
    ['port 65536', 'https://api.example:65536'],
    ['a comment of YAML', 'https://api.example:6443 # x'],
    ['http', 'http://api.example:6443'],
  ])('the server of a discovery file is refused with %s, and nothing is written', async (_, server) => {
    const outcome = await kubeletConfOf(fileWith(server));
    expect(outcome).toMatchObject({ code: 'E_DISCOVERY_FILE', exitCode: 12, transient: false });
  });
  test.each([
    ['a host and a port', 'https://api.example:6443', 'https://api.example:6443'],
    ['a slash at its end', 'https://api.example:6443/', 'https://api.example:6443'],
    ['no port', 'https://api.example', 'https://api.example'],
    ['port 443', 'https://api.example:443', 'https://api.example:443'],
    ['an IPv6 address', 'https://[fd00::1]:6443', 'https://[fd00::1]:6443'],
    ['an IPv4 address in another form', 'https://127.1:6443', 'https://127.0.0.1:6443'],
  ])('the server of a discovery file is written from its parts with %s', async (_, server, written) => {
    const outcome = await kubeletConfOf(fileWith(server));
    if (outcome instanceof Error) throw outcome;
    expect(outcome.text).toContain(`\n    server: ${written}\n`);
  });
});

describe('kind C: a file that has a private key beside its certificates', () => {
  const key = generateKeyPem();
  test('a private key beside certificates is not given away with a CA', async () => {
    const text = fileWith(SERVER, { 'certificate-authority': '/etc/site.pem' });
    const outcome = await kubeletConfOf(text, { '/etc/site.pem': `# comment\n${ca.pem}${key}` });
    if (outcome instanceof Error) throw outcome;
    expect(outcome.document).toMatchObject({ clusters: [{ cluster: { 'certificate-authority-data': CA_DATA } }] });
  });
  test('a private key beside certificates is not given away with CA data', async () => {
    const host = memoryHost(machineOf(fileWith(SERVER, { 'certificate-authority-data': base64(key + ca.pem) })));
    const outputs = outputsOf(await discover(host, { token: 'abcdef.canary0123456789' }));
    expect(JSON.stringify(outputs)).not.toContain(keyLine(key));
  });
  test('a private key beside certificates is not given away with a client certificate', async () => {
    const user = `{ client-certificate: ${FILE}.pem, client-key: ${FILE}.pem }`;
    const files = { [`${FILE}.pem`]: `${client.keyPem}${client.pem}${key}` };
    const outputs = outputsOf(await discover(memoryHost(machineOf(kubeconfig({ user }), { files })))) as {
      identity: { clientCertificate: string; clientKey: string };
    };
    expect(outputs.identity.clientCertificate).toBe(client.pem);
    expect(outputs.identity.clientKey).toBe(client.keyPem);
    expect(certified).not.toContain(base64(key));
  });
});

describe('kind C: the answer to a CSR', () => {
  const foreign = generateKeyPem();
  const signedWith = (change: (pem: string) => string) => {
    const cluster = new FakeCluster(bootstrapCa);
    cluster.decide = (csr) => {
      const { status, ...rest } = cluster.signed(csr);
      const pem = Buffer.from(status?.certificate ?? '', 'base64').toString('utf8');
      return { ...rest, status: { ...status, certificate: base64(change(pem)) } };
    };
    return bootstrap(memoryHost(machineIn(cluster)));
  };
  test('the answer to a CSR is refused if its certificate is for another key', async () => {
    const cluster = new FakeCluster(bootstrapCa);
    cluster.decide = (csr) => cluster.signed(csr, { keyPem: foreign });
    const { error, result } = await bootstrap(memoryHost(machineIn(cluster)));
    expect(error).toMatchObject({
      code: 'E_CERTIFICATE_WRONG',
      facts: { problems: ['it does not match the private key'] },
    });
    expect(result.steps[0]?.outputs).toBeUndefined();
  });
  test.each<[string, (pem: string) => string]>([
    ['before the certificate', (pem) => foreign + pem],
    ['after the certificate', (pem) => pem + foreign],
  ])('the answer to a CSR is refused with a private key %s', async (_, change) => {
    const { error, result } = await signedWith(change);
    expect(error).toMatchObject({ code: 'E_CERTIFICATE_WRONG', exitCode: 12 });
    expect(String(error)).toContain('EC PRIVATE KEY');
    expect(JSON.stringify(revealSecrets(result.steps[0]?.outputs ?? {}))).not.toContain(keyLine(foreign));
  });
  test('the certificate of a CSR is written without the text around it', async () => {
    const { error, result } = await signedWith((pem) => `subject=evil\n${pem}\n# more\n`);
    expect(error).toBeUndefined();
    const outputs = result.steps[0]?.outputs as { certificate: string } | undefined;
    expect(outputs?.certificate).toMatch(/^-----BEGIN CERTIFICATE-----\n[^#=]+={0,2}\n-----END CERTIFICATE-----\n$/);
  });
});

describe('kind C: kubelet.conf', () => {
  const pieces = fc.constantFrom(
    ...[
      'https://',
      'api.example',
      ':6443',
      '/',
      '\n',
      '\r',
      '\t',
      ' ',
      '#',
      '?',
      '@',
      ':',
      '\\',
      '"',
      "'",
      '%0a',
      '[::1]',
    ],
    ...[
      '\n    insecure-skip-tls-verify: true',
      '\u2028',
      '\0',
      'é',
      '*a',
      '&a',
      '!!str',
      '{',
      '}',
      '127.1',
      '0x7f.1',
      '-',
    ],
  );
  const server = fc.oneof(
    fc.array(pieces, { maxLength: 8 }).map((parts) => parts.join('')),
    fc.array(pieces, { maxLength: 3 }).map((parts) => `https://api.example:6443${parts.join('')}`),
    fc.array(pieces, { maxLength: 3 }).map((parts) => `https://${parts.join('')}api.example:6443`),
  );
  const junk = fc.constantFrom(
    '',
    '# x\n',
    generateKeyPem(),
    'server: https://evil\n',
    '-----BEGIN X-----\nAAAA\n-----END X-----\n',
  );
  test('kubelet.conf read back equals what was verified, whatever the discovery file says', async () => {
    const outcomes = { written: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(server, junk, junk, async (text, before, after) => {
        const data = base64(`${before}${ca.pem}${after}`);
        const outcome = await kubeletConfOf(fileWith(text, { 'certificate-authority-data': data }));
        outcomes[outcome instanceof Error ? 'refused' : 'written']++;
        if (outcome instanceof Error) expect(isJoinError(outcome) && outcome.code).toBe('E_DISCOVERY_FILE');
        else {
          expect(clusterIn(outcome.document)).toEqual(outcome.verified);
          expect(outcome.verified.pins).toEqual(pinsOf(ca.pem));
        }
      }),
      { numRuns: 300 },
    );
    expect(outcomes.written).toBeGreaterThan(20);
    expect(outcomes.refused).toBeGreaterThan(20);
  });
});
