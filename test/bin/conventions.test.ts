// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders look like JavaScript templates
/** What every command line program does: help, version, suggestions for mistyped names. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { scratch } from '../helpers/machine.ts';
import { cli, scene } from './cli.ts';
import { documentOf } from './documents.ts';

test('join help and join version print what --help and --version print', { timeout: 60_000 }, async () => {
  expect((await cli(['help', 'runs', 'prune'])).stdout).toBe((await cli(['runs', 'prune', '--help'])).stdout);
  expect((await cli(['help'])).stdout).toContain('USAGE');
  expect(await cli(['version'])).toEqual(await cli(['--version']));
});

test.each([
  [['resme'], 'E_COMMAND_UNKNOWN: there is no command resme; did you mean resume?'],
  [['runs', 'prnue'], 'E_COMMAND_UNKNOWN: there is no command runs prnue; did you mean runs prune?'],
  [['token', 'creat', '--help'], 'E_COMMAND_UNKNOWN: there is no command token creat; did you mean token create?'],
  [['run', '--pipeline', 'join-worke'], 'did you mean join-worker?'],
  [['doctor', 'w1'], 'E_USAGE: unexpected argument w1'],
  [['phase', 'file', 'motd', '--path', '/etc/motd'], 'E_USAGE: unexpected argument motd'],
  [['plugin', 'new', 'kubeconfig'], 'E_INPUT: NAME: a phase of Joinery has the name kubeconfig already'],
])('join %j names the mistake', async (args, message) => {
  const { code, stderr } = await cli(args);
  expect([code === 0, stderr]).toEqual([false, expect.stringContaining(message)]);
});

test('join pipeline validate finds inputs that exclude each other, unless an expression decides', async () => {
  const file = join(await scratch(), 'p.yaml');
  const validate = async (inputs: string) => {
    await writeFile(
      file,
      `apiVersion: joinery.dev/v1\nkind: Pipeline\nmetadata: { name: p }\n` +
        `inputs: { type: object, properties: { why: { type: string } } }\n` +
        `steps:\n  - { id: a, uses: command, with: { argv: [ls]${inputs} } }\n`,
      { mode: 0o600 },
    );
    return cli(['pipeline', 'validate', file]);
  };
  const wrong = await validate('');
  expect([wrong.code, wrong.stderr]).toEqual([
    3,
    expect.stringContaining('phase command: needs exactly one of: undo, irreversible, query'),
  ]);
  expect((await validate(', query: true, undo: [ls]')).code).toBe(3);
  expect((await validate(', query: true')).code).toBe(0);
  expect((await validate(', irreversible: "${{ inputs.why }}"')).code).toBe(0);
  expect((await validate(', undo: [no-such-program]')).stderr).toContain(
    'step a: no-such-program, which would undo it, is not installed here',
  );
});

test('join phase accepts a whole join line, and names each flag that the phase does not need', {
  timeout: 60_000,
}, async () => {
  const { args, sandbox } = await scene();
  const line = args('phase', 'discovery', '--node-name=w1', '--skip-phases', 'preflight', '--skip-headers');
  const whole = await cli([...line, '--detach', '--trace', '/tmp/none', '--wait=ready', '--dry-run=true']);
  expect(whole.code, whole.stderr).toBe(0);
  expect(whole.stdout).toContain(`the API server is https://${sandbox.endpoint}`);
  const notes = whole.stdout.split('\n').filter((text) => text.startsWith('! '));
  expect(notes).toEqual([
    '! --skip-headers has no effect: it is about the log of kubeadm',
    ...['node-name', 'skip-phases', 'detach', 'trace', 'wait'].map(
      (flag) => `! --${flag} has no effect: this phase does not need it`,
    ),
  ]);
  const needless = await cli(args('phase', 'file', '--path', '/etc/motd', '--content', 'x', '--dry-run'));
  expect(needless.stdout).toContain('! the endpoint has no effect: this phase does not need it');
  expect((await cli(['phase', 'file', '--no-such-flag'])).stderr).toContain('unknown flag --no-such-flag');
});

test('join phase reads the inputs of the phase from a kubeadm configuration file', { timeout: 60_000 }, async () => {
  const { sandbox, root } = await scene();
  const file = join(root, 'join.yaml');
  const discovery = { apiServerEndpoint: sandbox.endpoint, token: sandbox.token, caCertHashes: [sandbox.caPin] };
  const document = { apiVersion: 'kubeadm.k8s.io/v1beta4', kind: 'JoinConfiguration' };
  const taints = { nodeRegistration: { name: 'w1', taints: [] } };
  await writeFile(file, JSON.stringify({ ...document, ...taints, discovery: { bootstrapToken: discovery } }));
  const { code, stdout, stderr } = await cli(['phase', 'discovery', '--config', file, '--root', root, '--dry-run']);
  expect(code, stderr).toBe(0);
  expect(stdout).toContain(`the API server is https://${sandbox.endpoint}`);
});

test('join undo --dry-run lists what it would undo, and changes nothing', async () => {
  const root = await scratch();
  await mkdir(join(root, 'etc'));
  const machine = ['--root', root];
  expect((await cli(['undo', '--dry-run', ...machine])).code).toBe(2);
  expect((await cli(['phase', 'file', '--path', '/etc/motd', '--content', 'x', ...machine])).code).toBe(0);
  const { code, stdout } = await cli(['undo', '--dry-run', ...machine]);
  expect([code, stdout]).toEqual([
    0,
    expect.stringMatching(/will:\n {2}delete \/etc\/motd\nThis was a dry run: nothing/),
  ]);
  const document = documentOf('UndoPlan', (await cli(['undo', '--dry-run', '-o', 'json', ...machine])).stdout);
  expect(document.actions).toEqual([{ step: 'file', text: 'delete /etc/motd' }]);
  expect(await readFile(join(root, 'etc/motd'), 'utf8')).toBe('x');
  expect((await cli(['undo', '--yes', ...machine])).code).toBe(0);
  expect((await cli(['undo', '--dry-run', ...machine])).stderr).toContain('E_RUN_NONE');
});
