/** examples/: their commands join a sandbox machine, and their files say the same everywhere. */
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, expect, test } from 'vitest';
import { parse } from 'yaml';
import { openPlayground, type Playground } from '../../bin/commands/sandbox/machine.ts';
import { scratch } from '../helpers/machine.ts';
import { PROJECT } from '../helpers/sources.ts';

const TIMEOUT = { timeout: 60_000 };
const example = (path: string) => join(PROJECT, 'examples', path);
const read = (path: string) => readFileSync(example(path), 'utf8');
const has = (program: string) => spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;
const opened: Playground[] = [];
afterEach(async () => {
  for (const playground of opened.splice(0)) await playground.close();
});

/** A machine that can join, and a program `joinery` that acts on it. */
async function machine() {
  const launcher = join(PROJECT, 'bin/join.cjs');
  const playground = await openPlayground([process.execPath, launcher]);
  opened.push(playground);
  const { sandbox, root, kubeconfig } = playground;
  const folder = await scratch();
  const program = join(folder, 'joinery');
  const node = `${process.execPath} ${launcher}`;
  const script = `#!/bin/sh\ncase $1 in run | plan) exec ${node} "$@" --root ${root} ;; esac\nexec ${node} "$@"\n`;
  writeFileSync(program, script, { mode: 0o755 });
  const facts = { endpoint: sandbox.endpoint, ca_cert_hash: sandbox.caPin, token: sandbox.token };
  const hasJoined = () => existsSync(join(root, 'etc/kubernetes/kubelet.conf'));
  const env = { ...process.env, PATH: `${folder}:${process.env.PATH}`, KUBECONFIG: kubeconfig };
  return { facts, folder, program, hasJoined, env };
}
type Machine = Awaited<ReturnType<typeof machine>>;

/** The text with the facts of that machine's cluster instead of those of the example. */
const adapted = (text: string, { facts }: Machine): string =>
  text
    .replace('192.0.2.10:6443', facts.endpoint)
    .replace(/sha256:0{64}/, facts.ca_cert_hash)
    .replace('abcdef.0123456789abcdef', facts.token);

/** Runs the command of the unit as systemd does, with these files of /etc/joinery. */
async function startUnit({ folder, env, program }: Machine, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, content] of Object.entries(files))
    writeFileSync(join(folder, basename(path)), content, { mode: 0o600 });
  const [, command = ''] = /^ExecStart=(.*)$/m.exec(read('systemd/joinery-join.service')) ?? [];
  const words = command.replace('/usr/bin/joinery', program).replaceAll('%d', folder).split(' ');
  const lines = readFileSync(join(folder, 'join.env'), 'utf8').trim().split('\n');
  const variables = Object.fromEntries(lines.map((line) => line.split('=', 2)));
  await promisify(execFile)(words[0] ?? '', words.slice(1), { env: { ...env, ...variables } });
}

test('the unit of examples/systemd joins a machine at its first boot', TIMEOUT, async () => {
  const booted = await machine();
  const files = { 'join.env': adapted(read('systemd/join.env'), booted), token: booted.facts.token };
  await startUnit(booted, files);
  expect(booted.hasJoined()).toBe(true);
});

/** Content by path, as cloud-init writes it. */
const filesOf = (userData: string): Record<string, string> => {
  const document = parse(userData) as { write_files: { path: string; permissions: string; content: string }[] };
  expect(document.write_files.map(({ path, permissions }) => [path, permissions])).toEqual([
    ['/etc/joinery/join.env', '0644'],
    ['/etc/joinery/token', '0600'],
  ]);
  return Object.fromEntries(document.write_files.map(({ path, content }) => [path, content]));
};

test('the files of examples/cloud-init let the unit join', TIMEOUT, async () => {
  const booted = await machine();
  await startUnit(booted, filesOf(adapted(read('cloud-init/user-data.yaml'), booted)));
  expect(booted.hasJoined()).toBe(true);
});

test('examples/ignition contains the unit of examples/systemd, and its files let the unit join', TIMEOUT, async () => {
  interface Ignition {
    storage: { files: { path: string; mode: number; contents: { source: string } }[] };
    systemd: { units: { contents: string }[] };
  }
  const { storage, systemd } = JSON.parse(read('ignition/worker.ign')) as Ignition;
  expect(systemd.units.map(({ contents }) => contents)).toEqual([read('systemd/joinery-join.service')]);
  expect(storage.files.map(({ mode }) => mode.toString(8))).toEqual(['644', '600']);
  const booted = await machine();
  const decoded = storage.files.map(({ path, contents }) => {
    const content = decodeURIComponent(contents.source.replace(/^data:,/, ''));
    return [path, adapted(content, booted)] as const;
  });
  await startUnit(booted, Object.fromEntries(decoded));
  expect(booted.hasJoined()).toBe(true);
});

test.skipIf(!has('terraform'))('the user data of examples/terraform lets the unit join', TIMEOUT, async () => {
  const booted = await machine();
  const folder = join(await scratch(), 'terraform');
  cpSync(example('terraform'), folder, { recursive: true });
  const variables = Object.entries(booted.facts).map(([name, value]) => [`TF_VAR_${name}`, value]);
  const env = { ...process.env, ...Object.fromEntries(variables) };
  const terraform = (...args: string[]) => execFileSync('terraform', args, { cwd: folder, env, encoding: 'utf8' });
  terraform('init', '-input=false');
  terraform('apply', '-auto-approve', '-input=false');
  await startUnit(booted, filesOf(terraform('output', '-raw', 'user_data')));
  expect(booted.hasJoined()).toBe(true);
});

test.skipIf(!has('ansible-playbook'))(
  'the role of examples/ansible reports the plan in check mode, and then joins',
  { timeout: 120_000 },
  async () => {
    const { facts, folder, program, hasJoined, env } = await machine();
    const play = join(folder, 'play.yaml');
    writeFileSync(play, '- hosts: all\n  connection: local\n  gather_facts: false\n  roles: [joinery]\n');
    const values = {
      joinery_endpoint: facts.endpoint,
      joinery_ca_cert_hash: facts.ca_cert_hash,
      joinery_token: facts.token,
      joinery_program: program,
    };
    const settings = {
      ANSIBLE_ROLES_PATH: example('ansible/roles'),
      ANSIBLE_LOCALHOST_WARNING: 'False',
      LC_ALL: 'C.UTF-8',
    };
    const played = async (...args: string[]) => {
      const all = ['-i', 'localhost,', play, '--extra-vars', JSON.stringify(values), ...args];
      const { stdout } = await promisify(execFile)('ansible-playbook', all, { env: { ...env, ...settings } });
      return /changed=(\d+)/.exec(stdout)?.[1];
    };
    expect([await played('--check'), hasJoined()]).toEqual(['1', false]);
    expect([await played(), hasJoined()]).toEqual(['1', true]);
  },
);

test('the scripts of examples/air-gap prepare a folder, and join with it alone', TIMEOUT, async () => {
  const { facts, folder, program, hasJoined, env } = await machine();
  const [release, carried] = [join(folder, 'release'), join(folder, 'carried')];
  mkdirSync(release);
  copyFileSync(program, join(release, 'joinery-0.1.0-linux-x64'));
  const sums = execFileSync('sha256sum', ['joinery-0.1.0-linux-x64'], { cwd: release, encoding: 'utf8' });
  writeFileSync(join(release, 'SHA256SUMS'), sums);
  await promisify(execFile)(example('air-gap/prepare.sh'), [release, carried, facts.endpoint], { env });
  copyFileSync(example('air-gap/join.sh'), join(carried, 'join.sh'));
  const options = { env: { ...process.env, PREFIX: join(folder, 'prefix') } };
  await promisify(execFile)(join(carried, 'join.sh'), ['--wait', 'registered'], options);
  expect(hasJoined()).toBe(true);
  writeFileSync(join(carried, 'joinery-0.1.0-linux-x64'), '#!/bin/sh\n');
  await expect(promisify(execFile)(join(carried, 'join.sh'), [], options)).rejects.toThrow('did NOT match');
});

test('the script and the files that examples/packer names exist, and the script is valid', () => {
  const template = read('packer/worker.pkr.hcl');
  expect(template).toContain('"../systemd/joinery-join.service"');
  const [, script = ''] = /script = "(.*)"/.exec(template) ?? [];
  execFileSync('sh', ['-n', join(dirname(example('packer/worker.pkr.hcl')), script)]);
});

test('examples/README.md names every example', () => {
  const entries = readdirSync(example(''), { withFileTypes: true });
  const folders = entries.flatMap((entry) => (entry.isDirectory() ? entry.name : []));
  const named = [...read('README.md').matchAll(/^\| \[(.*?)\]/gm)].map(([, name]) => name);
  expect(named.toSorted()).toEqual(folders.toSorted());
});
