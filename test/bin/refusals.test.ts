import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { generateKeyPem } from '../../engine/pki/index.ts';
import type { Sandbox } from '../../plugins/sandbox/index.ts';
import type { KubeObject } from '../../plugins/sandbox/objects.ts';
import { certificate, forge } from '../helpers/attacks.ts';
import { cli, project, scene } from './cli.ts';

const sentWithCredentials = (sandbox: Sandbox) =>
  sandbox.store.requests.filter(({ user }) => user !== 'system:anonymous' && user !== '');

/** Each attack on the trust of a join ends quickly with its own error code, and leaves nothing. */
describe('join run refuses', () => {
  interface Attack {
    title: string;
    code: string;
    exitCode: number;
    says: string;
    args?: (sandbox: Sandbox) => string[];
    prepare?: (sandbox: Sandbox) => void;
    env?: Record<string, string>;
  }
  const instead = (flag: string, value: string) => () => [flag, value];
  const zeroPin = `sha256:${'0'.repeat(64)}`;
  const attacks: Attack[] = [
    {
      title: 'a CA whose key is not pinned',
      code: 'E_CA_PIN_MISMATCH',
      exitCode: 12,
      says: `but only ${zeroPin} is pinned`,
      args: instead('--discovery-token-ca-cert-hash', zeroPin),
    },
    {
      title: 'a token whose secret half is wrong',
      code: 'E_CLUSTER_INFO_SIGNATURE',
      exitCode: 12,
      says: 'is not signed by token',
      args: ({ token }) => ['--token', `${token.slice(0, 7)}${'z'.repeat(16)}`],
    },
    {
      title: 'a cluster-info whose signature is forged',
      code: 'E_CLUSTER_INFO_SIGNATURE',
      exitCode: 12,
      says: 'is not signed by token',
      prepare: (sandbox) => forge(sandbox, { bundle: sandbox.caPem, secret: 'f'.repeat(16) }),
    },
    {
      title: "a bundle of the real CA and an attacker's, signed by a token holder on the path",
      code: 'E_API_CERTIFICATE_UNTRUSTED',
      exitCode: 12,
      says: 'is not signed by a trusted CA',
      prepare: (sandbox) => {
        const attacker = certificate({ use: 'ca' });
        forge(sandbox, { bundle: sandbox.caPem + attacker.cert });
        sandbox.serveWith(certificate({ use: 'server', issuer: attacker.key }));
      },
    },
    {
      title: 'the same bundle from an attacker who forwards to the real server',
      code: 'E_CLUSTER_INFO_CHANGED',
      exitCode: 12,
      says: 'changed between the anonymous request and the request over the pinned CA',
      prepare: (sandbox) => forge(sandbox, { bundle: sandbox.caPem + certificate({ use: 'ca' }).cert, times: 1 }),
    },
    {
      title: 'a certificate of an unknown CA, whatever NODE_TLS_REJECT_UNAUTHORIZED says',
      code: 'E_API_CERTIFICATE_UNTRUSTED',
      exitCode: 12,
      says: 'is not signed by a trusted CA',
      prepare: (sandbox) => sandbox.serveWith(certificate({ use: 'server', issuer: generateKeyPem() })),
      env: { NODE_TLS_REJECT_UNAUTHORIZED: '0' },
    },
    {
      title: 'a certificate that does not fit the endpoint',
      code: 'E_API_CERTIFICATE_NAME',
      exitCode: 12,
      says: 'is not valid for this address, only for DNS:other.example',
      prepare: (sandbox) =>
        sandbox.serveWith(certificate({ use: 'server', issuer: sandbox.caKeyPem, altNames: ['other.example'] })),
    },
    {
      title: 'a certificate that has expired',
      code: 'E_API_CERTIFICATE_TIME',
      exitCode: 12,
      says: 'certificate has expired',
      prepare: (sandbox) =>
        sandbox.serveWith(certificate({ use: 'server', issuer: sandbox.caKeyPem, fromDays: -3, toDays: -1 })),
    },
    {
      title: 'a clock that differs by more than a minute',
      code: 'E_CLOCK_SKEW',
      exitCode: 12,
      says: 'the clock of this machine is',
    },
    {
      title: 'a token in capitals',
      code: 'E_INPUT',
      exitCode: 2,
      says: '--token has the wrong form: it must be 6 and 16 lower-case letters or digits',
      args: instead('--token', 'ABCDEF.0123456789abcdef'),
    },
  ];
  test.each(attacks)('join run refuses $title ($code)', async ({ code, exitCode, says, args, prepare, env, title }) => {
    const skewed = title.includes('clock') ? { now: () => new Date(Date.now() + 5 * 60_000) } : {};
    const { sandbox, args: argsFor, tree } = await scene(skewed);
    prepare?.(sandbox);
    const before = await tree();
    const changed = args?.(sandbox) ?? [];
    const line = argsFor('run');
    const index = line.indexOf(changed[0] ?? 'none');
    if (index >= 0) line.splice(index, 2);
    const at = Date.now();
    const ended = await cli([...line, ...changed], env);
    expect(ended.stderr).toContain(code);
    expect(ended.stderr).toContain(says);
    expect(ended.stderr).toContain('\n  → ');
    expect(ended.code).toBe(exitCode);
    expect(Date.now() - at).toBeLessThan(3_000);
    expect(await tree()).toEqual(before);
    expect(sentWithCredentials(sandbox)).toEqual([]);
    expect(ended.stdout + ended.stderr).not.toContain(sandbox.token.split('.')[1]);
  });

  test('join run reports E_API_UNREACHABLE if the endpoint does not answer until the discovery timeout', async () => {
    const { args, root, tree } = await scene();
    const before = await tree();
    const shipped = await readFile(join(project, 'pipelines/join-worker.yaml'), 'utf8');
    const impatient = join(root, '../impatient.yaml');
    await writeFile(impatient, shipped.replace('initial: 500ms', 'initial: 10ms'));
    const line = args('run', '--pipeline', impatient, '--discovery-timeout', '500ms').map((word) =>
      /^127\.0\.0\.1:/.test(word) ? '127.0.0.1:1' : word,
    );
    const { code, stderr } = await cli(line);
    expect(code).toBe(5);
    expect(stderr).toContain(
      'discovery: attempt 1 failed: https://127.0.0.1:1 does not answer: nothing listens there (ECONNREFUSED 127.0.0.1:1); retrying in 0.01 s',
    );
    expect(stderr).toContain('E_API_UNREACHABLE in step discovery');
    expect(stderr).toContain('curl -k https://127.0.0.1:1/healthz');
    expect(await tree()).toEqual(before);
  });

  test('join run refuses a token that may not authenticate, and writes nothing (E_API_UNAUTHORIZED)', async () => {
    const { sandbox, args, tree } = await scene();
    const name = `bootstrap-token-${sandbox.token.slice(0, 6)}`;
    const token = sandbox.store.get<KubeObject & { data: Record<string, string> }>('secrets', name, 'kube-system');
    if (token === undefined) throw new Error(`no ${name}`);
    sandbox.store.update('secrets', {
      ...token,
      data: { ...token.data, 'usage-bootstrap-authentication': 'ZmFsc2U=' },
    });
    const before = await tree();
    const { code, stderr } = await cli(args('run'));
    expect(stderr).toContain('E_API_UNAUTHORIZED in step cluster-config');
    expect(code).toBe(5);
    expect(await tree()).toEqual(before);
  });

  test('join run refuses the name of a Ready Node of another machine (E_NODE_EXISTS)', async () => {
    const { sandbox, args, tree } = await scene();
    sandbox.store.create('nodes', {
      metadata: { name: 'w1' },
      status: { conditions: [{ type: 'Ready', status: 'True' }] },
    } as never);
    const before = await tree();
    const { code, stderr } = await cli(args('run'));
    expect(stderr).toContain('E_NODE_EXISTS in step preflight-cluster: the cluster already has a Ready node named w1');
    expect(code).toBe(5);
    expect(sandbox.store.list('certificatesigningrequests')).toEqual([]);
    expect(await tree()).toEqual(before);
  });
});
