/** The sources of inputs: flags in the forms of kubeadm, variables, files and standard input. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runCommand } from '../../bin/commands/run.ts';
import { kubeadmLine } from '../../bin/inputs/kubeadm-line.ts';
import { namedBy, overlaid, plainValues, type Source } from '../../bin/inputs/values.ts';
import { valuesOfVariables, variableName } from '../../bin/inputs/variables.ts';
import { app } from '../helpers/app.ts';
import { joinErrorOf } from '../helpers/errors.ts';
import { joinRun } from '../helpers/join-run.ts';
import { launch } from '../real/command.ts';
import { cli, project, type Scene, scene } from './cli.ts';

const flags = runCommand(app).flags as never;
const DRY = ['--dry-run', '--output', 'json'];

/** The plan of a dry run: its changes of files by their paths, its steps, its notes. */
async function planned(args: readonly string[], variables?: Record<string, string>) {
  const { code, stdout, stderr } = await joinRun([...args, ...DRY], variables);
  expect(code, stderr).toBe(0);
  const { steps, notes = [] } = JSON.parse(stdout) as {
    steps: { id: string; changes: { path?: string; content?: string; name?: string }[] }[];
    notes?: string[];
  };
  const changes = steps.flatMap((step) => step.changes);
  const file = (path: string) => changes.find((change) => change.path === path)?.content;
  const csr = changes.find(({ name }) => name?.startsWith('node-csr-'));
  return { steps: steps.map(({ id }) => id), notes, file, csr, stderr };
}
const FLAGS = '/var/lib/kubelet/kubeadm-flags.env';

describe('flags as kubeadm takes them', () => {
  test.each<[string[], string[], string[]]>([
    [['a:1', '--dry-run=true'], ['a:1', '--dry-run'], []],
    [
      ['--dry-run=F', '--discovery-token-unsafe-skip-ca-verification=1'],
      ['--discovery-token-unsafe-skip-ca-verification'],
      ['dry-run'],
    ],
    [['--token=a=b', '-v=3'], ['--token=a=b', '-v=3'], []],
    [['--skip-preflight-checks'], ['--ignore-preflight-errors=all'], []],
    [['--experimental-patches=/p', '--experimental-patches', '/q'], ['--patches=/p', '--patches', '/q'], []],
    [['--control-plane=false', 'a:1'], ['a:1'], ['control-plane']],
    [['--experimental-control-plane=true', 'a:1'], ['--control-plane', 'a:1'], []],
    [
      ['--node-name', '--dry-run=true', '--', '--dry-run=true'],
      ['--node-name', '--dry-run', '--', '--dry-run=true'],
      [],
    ],
  ])('join run reads the kubeadm flags %j as %j', (argv, words, off) => {
    expect(kubeadmLine(argv, flags)).toEqual({ argv: words, off, notes: [] });
  });

  test.each([
    [['--certificate-key=a', '--dry-run']],
    [['--apiserver-advertise-address', '1.2.3.4', '--dry-run', '--control-plane=false']],
    [['--skip-headers', '--vmodule', 'a=1', '--log-file=/x', '--dry-run', '--rootfs', '/y', '--root=/z']],
  ])('join run drops the flags of %j that kubeadm does not use for a worker', (argv) => {
    const line = kubeadmLine(argv, flags);
    expect(line.argv.filter((word) => !word.startsWith('--root'))).toEqual(['--dry-run']);
    expect(line.notes[0]).toMatch(
      /^--(certificate-key|apiserver-advertise-address|skip-headers) has no effect: it is /,
    );
  });

  test('join run refuses flags of kubeadm that a configuration file excludes', async () => {
    expect(await joinErrorOf(() => kubeadmLine(['--config', 'f', '--certificate-key=a'], flags))).toMatchObject({
      code: 'E_INPUT',
      message: '--config cannot be combined with --certificate-key: omit it: a worker does not use it',
    });
  });

  test.each(['--control-plane', '--experimental-control-plane=true'])(
    'join run refuses the control-plane flag %s beside a configuration file, as kubeadm does',
    async (word) => {
      expect(await joinErrorOf(() => kubeadmLine(['--config', 'f', word], flags))).toMatchObject({
        code: 'E_INPUT',
        message: '--config cannot be combined with --control-plane: add controlPlane to the file instead',
      });
    },
  );

  test('join run -h prints the help', async () => {
    const { code, stdout } = await cli(['run', '-h']);
    expect(code).toBe(0);
    expect(stdout).toContain('--discovery-token-ca-cert-hash=A,B...');
  });

  test('join run accepts many kubeadm flags in one command', async () => {
    const { args, sandbox } = await scene();
    const [id, secret] = sandbox.token.split('.');
    const line = args().map((word) => (word === '--token' ? '--discovery-token' : word));
    const { steps, notes } = await planned([
      ...line,
      ...['--tls-bootstrap-token', `${id}.${secret}`, '--discovery-token-ca-cert-hash', `sha256:${'0'.repeat(64)}`],
      ...['--discovery-token-unsafe-skip-ca-verification=false', '--node-name=w9', '--cri-socket'],
      ...[
        '/run/containerd/containerd.sock',
        '--ignore-preflight-errors=Swap,NumCPU',
        '--ignore-preflight-errors',
        'Mem',
      ],
      ...['--feature-gates', 'CoreDNS=true', '-v5', '--skip-phases=preflight', '--skip-phases', 'etcd-join'],
    ]);
    expect(steps).not.toContain('preflight');
    expect(notes).toEqual([expect.stringMatching(/^the feature gate CoreDNS .* has no effect on a join/)]);
  });
});

describe('the layers', () => {
  const flag: Source = { kind: 'flag', name: '--node-name' };
  const variable: Source = { kind: 'variable', name: 'JOINERY_NODE_NAME' };
  const place = { file: 'c.yaml', line: 3, column: 5, field: 'nodeName' };

  test('a later layer of inputs wins, and each value keeps its source', () => {
    const values = overlaid(
      {
        nodeName: { value: 'a', source: { kind: 'config', place } },
        wait: { value: 'b', source: { kind: 'config', place } },
      },
      { nodeName: { value: 'c', source: variable } },
      { nodeName: { value: 'd', source: flag } },
    );
    expect(plainValues(values)).toEqual({ nodeName: 'd', wait: 'b' });
    expect(['nodeName', 'wait', 'criSocket'].map(namedBy(values))).toEqual([
      '--node-name',
      'c.yaml:3:5: nodeName',
      '--cri-socket',
    ]);
  });

  test('variables are named after flags, and their values have the types of the inputs', () => {
    const schema = {
      properties: {
        discoveryTokenCaCertHash: { type: 'array', items: { type: 'string' } },
        dryRun: { type: 'boolean' },
        count: { type: 'integer' },
        taints: { type: 'array', items: { type: 'object' } },
        nodeName: { type: 'string' },
      },
    } as const;
    expect(variableName('discoveryTokenCaCertHash')).toBe('JOINERY_DISCOVERY_TOKEN_CA_CERT_HASH');
    const { values, problems, notes } = valuesOfVariables(schema, {
      JOINERY_DISCOVERY_TOKEN_CA_CERT_HASH: 'a, b',
      JOINERY_DRY_RUN: 'F',
      JOINERY_COUNT: '\ufeff7\r\n',
      JOINERY_NODE_NAME: '',
      JOINERY_TAINTS: 'x',
      JOINERY_NODE_NAM: 'w1',
      JOINERY_ROOT: '/m',
      HOME: '/root',
    });
    expect(plainValues(values)).toEqual({ discoveryTokenCaCertHash: ['a', 'b'], dryRun: false, count: 7 });
    expect(problems).toEqual([]);
    expect(notes).toEqual([
      'the variable JOINERY_TAINTS is not an input of this pipeline',
      'the variable JOINERY_NODE_NAM is not an input of this pipeline; did you mean JOINERY_NODE_NAME?',
    ]);
    expect(valuesOfVariables(schema, { JOINERY_DRY_RUN: 'yes', JOINERY_COUNT: '1.5' }).problems).toEqual([
      'JOINERY_DRY_RUN must be true or false',
      'JOINERY_COUNT must be a number',
    ]);
  });
});

describe('a token need not stand on the command line', () => {
  const withoutToken = ({ args, sandbox }: Scene) =>
    args().filter((word) => ![sandbox.token, '--token'].includes(word));

  test('a token can come from a variable, or from a file that a variable or a flag names', async () => {
    const setup = await scene();
    const file = join(setup.root, '../token');
    await writeFile(file, `${setup.sandbox.token}\n`);
    for (const variables of [{ JOINERY_TOKEN: setup.sandbox.token }, { JOINERY_TOKEN: `@${file}` }])
      expect((await planned(withoutToken(setup), variables)).csr).toBeDefined();
    expect(
      (await planned([...withoutToken(setup), '--token', `@${file}`], { JOINERY_TOKEN: 'wrong' })).csr,
    ).toBeDefined();
  });

  test('a token can come from standard input', async () => {
    const setup = await scene();
    const command = [
      process.execPath,
      join(project, 'bin/join'),
      'run',
      ...withoutToken(setup),
      '--token',
      '-',
      '--dry-run',
    ];
    const { code, stdout, stderr } = await launch(command, { input: `${setup.sandbox.token}\n` }).done;
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('would create certificatesigningrequests node-csr-');
  });
});

describe('--config', () => {
  const oldest = ({ sandbox }: Scene) => `apiVersion: kubeadm.k8s.io/v1alpha1
kind: NodeConfiguration
token: ${sandbox.token}
discoveryTokenAPIServers: ["${sandbox.endpoint}"]
discoveryTokenCACertHashes: ["${sandbox.caPin}"]
nodeName: w7
criSocket: /run/containerd/containerd.sock
clusterName: prod
featureGates: { CoreDNS: true }
`;
  const newest = ({ sandbox }: Scene) => `apiVersion: kubeadm.k8s.io/v1beta4
kind: JoinConfiguration
discovery:
  bootstrapToken:
    token: ${sandbox.token}
    apiServerEndpoint: ${sandbox.endpoint}
    caCertHashes: ["${sandbox.caPin}"]
nodeRegistration:
  name: w8
  taints: [{ key: dedicated, value: gpu, effect: NoSchedule }]
  kubeletExtraArgs: [{ name: node-labels, value: "a=b,c=d" }]
  imagePullPolicy: Never
caCertPath: /etc/pki/cluster.crt
patches: { directory: /patches }
skipPhases: [preflight]
timeouts: { discovery: 30s, etcdAPICall: 1m0s }
dryRun: true
`;
  async function configArgs(setup: Scene, text: string): Promise<string[]> {
    const file = join(setup.root, '../c.yaml');
    await writeFile(file, text);
    return ['--config', file, '--root', setup.root];
  }

  test('a configuration file of 2017 sets what flags would', async () => {
    const setup = await scene();
    const { file, notes, csr } = await planned(await configArgs(setup, oldest(setup)));
    expect(file(FLAGS)).toContain('--hostname-override=w7');
    expect(csr).toBeDefined();
    expect(notes).toEqual([
      `${join(setup.root, '../c.yaml')}: clusterName: no effect on a worker`,
      expect.stringContaining('the feature gate CoreDNS'),
    ]);
  });

  test('a v1beta4 configuration file sets everything for a worker, including a dry run', async () => {
    const setup = await scene();
    await mkdir(join(setup.root, 'patches'));
    await writeFile(join(setup.root, 'patches/kubeletconfiguration0+merge.yaml'), 'maxPods: 7\n');
    const args = await configArgs(setup, newest(setup));
    const before = await setup.tree();
    const { file, notes, steps } = await planned(args);
    expect(steps).not.toContain('preflight');
    expect(file(FLAGS)).toContain(
      '--hostname-override=w8 --register-with-taints=dedicated=gpu:NoSchedule --node-labels=a=b,c=d"',
    );
    expect(file('/etc/pki/cluster.crt')).toBe(setup.sandbox.caPem);
    expect(file('/var/lib/kubelet/config.yaml')).toContain('maxPods: 7\n');
    expect(notes).toEqual([
      `${join(setup.root, '../c.yaml')}: nodeRegistration.imagePullPolicy, timeouts.etcdAPICall: no effect on a worker`,
    ]);
    const { stdout } = await joinRun(args); // the file asks for a dry run
    expect(stdout).toContain('nothing was changed.');
    expect(await setup.tree()).toEqual(before);
  });

  test('--config has lower precedence than variables, and those have lower precedence than flags', async () => {
    const setup = await scene();
    const args = await configArgs(setup, oldest(setup));
    const JOINERY_NODE_NAME = 'w5';
    expect((await planned(args, { JOINERY_NODE_NAME })).file(FLAGS)).toContain('--hostname-override=w5');
    expect((await planned([...args, '--node-name', 'w6'], { JOINERY_NODE_NAME })).file(FLAGS)).toContain(
      '--hostname-override=w6',
    );
  });

  test('join run --config with --lenient only reports unknown fields, as kubeadm does', async () => {
    const setup = await scene();
    const args = await configArgs(setup, `${oldest(setup)}nope: 1\n`);
    expect((await joinRun([...args, ...DRY])).code).toBe(3);
    const { notes } = await planned([...args, '--lenient']);
    expect(notes).toContain(`${join(setup.root, '../c.yaml')}:10:1: unknown field nope`);
  });

  test('a configuration can come from standard input, and a note names inputs the pipeline lacks', async () => {
    const setup = await scene();
    const shipped = await readFile(join(project, 'pipelines/join-worker.yaml'), 'utf8');
    const pipeline = join(setup.root, '../p.yaml');
    await writeFile(pipeline, shipped.replace(/^ {4}caCertPath:\n.*\n/m, '').replaceAll(/^ *caCertPath: \$.*\n/gm, ''));
    const command = [process.execPath, join(project, 'bin/join'), 'run', '--config', '-', '--root', setup.root];
    const { code, stdout, stderr } = await launch([...command, '--pipeline', pipeline, '--dry-run'], {
      input: newest(setup).replace('patches: { directory: /patches }\n', ''),
    }).done;
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('! standard input:13:13: caCertPath: this pipeline has no such input\n');
  });
});
