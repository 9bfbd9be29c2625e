import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadFleet } from '../../../engine/fleet/document.ts';
import { isJoinError, type Problem } from '../../../engine/sdk/index.ts';
import { atEnd } from '../../helpers/endings.ts';

const HEAD = 'apiVersion: joinery.dev/v1\nkind: Fleet\nmetadata: { name: rack-7 }\n';
const fleetOf = (rest: string, file = '/fleets/rack.yaml') =>
  loadFleet(file, `${HEAD}cluster: { kubeconfig: admin.conf }\n${rest}`);

async function problemsOf(loading: Promise<unknown>): Promise<Problem[]> {
  const error: unknown = await loading.then(
    () => undefined,
    (thrown) => thrown,
  );
  if (!isJoinError(error)) throw error ?? new Error('the document has no problem');
  expect(error.code).toBe('E_FLEET');
  return (error.facts as { problems: Problem[] }).problems;
}
const messagesOf = async (loading: Promise<unknown>): Promise<string[]> =>
  (await problemsOf(loading)).map(({ line, message }) => `${line}: ${message}`);

function fileWith(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'fleet-'));
  atEnd(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'hosts'), text);
  return join(folder, 'hosts');
}

describe('a Fleet document', () => {
  test('has defaults for everything but its name, its cluster and its hosts', async () => {
    expect(await fleetOf('hosts: [{ name: w1 }]')).toEqual({
      name: 'rack-7',
      kubeconfig: '/fleets/admin.conf',
      hosts: [
        {
          name: 'w1',
          address: 'w1',
          transport: { kind: 'ssh', sudo: false },
          role: 'worker',
          labels: {},
          environments: [],
          variables: {},
        },
      ],
      pipelines: { worker: 'join-worker', 'control-plane': 'join-control-plane' },
      environments: [],
      rollout: {
        waves: [{ hosts: 1 }, 'rest'],
        maxParallel: 10,
        failureBudget: { hosts: 0 },
        soakMs: 0,
        proceedIf: undefined,
        onBudgetExceeded: 'pause',
      },
      tokenTtlMs: 900_000,
      approval: 'cluster',
    });
  });

  test("a host's transport replaces keys of the fleet's, and another kind replaces all of it", async () => {
    const { hosts } = await fleetOf(
      [
        'transport: { kind: ssh, user: ops, identityFile: ~/id, port: 22 }',
        'hosts:',
        '  - { name: a, transport: { port: 2222 } }',
        '  - { name: b, transport: { kind: local, root: "roots/{name}" } }',
        '  - { name: c, address: "10.0.0.3", transport: { kind: exec, command: [vm, "{name}", "{address}"] } }',
      ].join('\n'),
    );
    expect(hosts.map(({ transport }) => transport)).toEqual([
      { kind: 'ssh', user: 'ops', identityFile: join(homedir(), 'id'), port: 2222, sudo: true },
      { kind: 'local', root: '/fleets/roots/b' },
      { kind: 'exec', command: ['vm', 'c', '10.0.0.3'] },
    ]);
  });

  test('every problem is reported at once, with its line', async () => {
    const problems = await messagesOf(
      fleetOf(
        [
          'transport: { kind: ssh, root: /x }',
          'hosts:',
          '  - { name: a, address: 10.0.0.1 }',
          '  - { name: a, address: 10.0.0.2 }',
          '  - { name: b, address: 10.0.0.1 }',
          '  - { name: c, transport: { kind: exec } }',
          '  - { name: d, variables: { token: x } }',
          'rollout:',
          '  waves: [rest, 1]',
          '  proceedIf: wave.faild == 0',
        ].join('\n'),
      ),
    );
    expect(problems).toEqual([
      '5: the transport ssh has no root',
      '8: two hosts have the name a',
      '9: b and a are the same machine: 10.0.0.1',
      '10: the transport exec needs command',
      '11: token is a secret: the fleet gives each machine a token of its own',
      '13: rest must be the last wave',
      '14: a wave has no faild; did you mean failed?',
    ]);
  });

  test('waves that leave hosts out are a problem', async () => {
    expect(
      await messagesOf(fleetOf('hosts: [{ name: a }, { name: b }, { name: c }]\nrollout: { waves: [1, 1] }')),
    ).toEqual(['6: the waves have 2 of 3 hosts: add rest at the end']);
  });

  test.each([
    ['wave.failed', 'a condition must be a bool, not int'],
    ['wave.failed == "0"', '== does not work on int and string'],
    ['inputs.x == 1', 'there is no inputs: write wave.x, such as wave.failed'],
    ['failed == 0', 'there is no failed: write wave.x, such as wave.failed'],
    ['wave.failed ==', 'syntax error at 1:15: the expression ends too early'],
  ])('the condition %s is refused', async (condition, message) => {
    const [problem] = await problemsOf(fleetOf(`hosts: [{ name: a }]\nrollout: { proceedIf: '${condition}' }`));
    expect(problem?.message).toContain(message);
  });

  test('5,000 hosts are read, and one more is refused', async () => {
    const hosts = (count: number) =>
      Array.from({ length: count }, (_, index) => `- { name: w${index}, address: 10.0.${index >> 8}.${index & 255} }`);
    expect((await fleetOf(`hosts:\n${hosts(5000).join('\n')}`)).hosts).toHaveLength(5000);
    expect(await messagesOf(fleetOf(`hosts:\n${hosts(5001).join('\n')}`))).toEqual(['6: must have at most 5000 items']);
  }, 60_000);
});

const INI = [
  '# a rack',
  'bare.example.com',
  '[kube_node]',
  'w[01:02] ansible_user=ops',
  'w3 ansible_host=10.0.0.3 ansible_port=2222 ansible_become=yes joinery_node_name="gpu 3"',
  '[kube_control_plane]',
  'cp1 ansible_host=10.0.0.9',
  '[cluster:children]',
  'kube_node',
  'kube_control_plane',
  '[cluster:vars]',
  'ansible_user=admin',
].join('\n');
const YAML = [
  'all:',
  '  hosts: { bare.example.com: }',
  '  children:',
  '    cluster:',
  '      vars: { ansible_user: admin }',
  '      children:',
  '        kube_node:',
  '          hosts:',
  '            w[01:02]: { ansible_user: ops }',
  '            w3: { ansible_host: 10.0.0.3, ansible_port: 2222, ansible_become: true, joinery_node_name: gpu 3 }',
  '        kube_control_plane: { hosts: { cp1: { ansible_host: 10.0.0.9 } } }',
].join('\n');
const LIST = JSON.stringify({
  _meta: {
    hostvars: {
      w01: { ansible_user: 'ops' },
      w02: { ansible_user: 'ops' },
      w3: {
        ansible_user: 'admin',
        ansible_host: '10.0.0.3',
        ansible_port: 2222,
        ansible_become: true,
        joinery_node_name: 'gpu 3',
      },
      cp1: { ansible_user: 'admin', ansible_host: '10.0.0.9' },
    },
  },
  all: { children: ['ungrouped', 'cluster'] },
  cluster: { children: ['kube_node', 'kube_control_plane'] },
  kube_node: { hosts: ['w01', 'w02', 'w3'] },
  kube_control_plane: { hosts: ['cp1'] },
});

describe('hosts from elsewhere', () => {
  test.each([
    ['INI', INI],
    ['YAML', YAML],
    ['JSON', LIST],
  ])('an Ansible inventory in %s gives hosts, addresses, transports, roles and inputs', async (_, text) => {
    const { hosts } = await fleetOf(
      `hosts: { file: ${fileWith(text)}, workers: kube_node, controlPlanes: kube_control_plane }`,
    );
    expect(
      hosts.map(({ name, address, role, transport, variables }) => ({ name, address, role, transport, variables })),
    ).toEqual([
      {
        name: 'w01',
        address: 'w01',
        role: 'worker',
        transport: { kind: 'ssh', user: 'ops', sudo: true },
        variables: {},
      },
      {
        name: 'w02',
        address: 'w02',
        role: 'worker',
        transport: { kind: 'ssh', user: 'ops', sudo: true },
        variables: {},
      },
      {
        name: 'w3',
        address: '10.0.0.3',
        role: 'worker',
        transport: { kind: 'ssh', user: 'admin', port: 2222, sudo: true },
        variables: { nodeName: 'gpu 3' },
      },
      {
        name: 'cp1',
        address: '10.0.0.9',
        role: 'control-plane',
        transport: { kind: 'ssh', user: 'admin', sudo: true },
        variables: {},
      },
    ]);
  });

  test('without workers, every host joins that is not a control plane', async () => {
    const { hosts } = await fleetOf(`hosts: { file: ${fileWith(INI)}, controlPlanes: kube_control_plane }`);
    expect(hosts.map(({ name, role }) => `${name} ${role}`)).toEqual([
      'bare.example.com worker',
      'w01 worker',
      'w02 worker',
      'w3 worker',
      'cp1 control-plane',
    ]);
  });

  test('a list of hosts has the same keys as in the document, and problems name its own lines', async () => {
    const list = '- { name: a, labels: { zone: x } }\n- { name: b, adress: c }\n';
    const [problem] = await problemsOf(fleetOf(`hosts: { file: ${fileWith(list)} }`));
    expect(problem).toMatchObject({ line: 2, column: 14, message: 'unknown key adress; did you mean address?' });
    const { hosts } = await fleetOf(`hosts: { file: ${fileWith('[{ name: a, labels: { zone: x } }]')} }`);
    expect(hosts).toMatchObject([{ name: 'a', role: 'worker', labels: { zone: 'x' } }]);
  });

  test('a command prints the hosts', async () => {
    const { hosts } = await fleetOf(`hosts: { command: [/bin/sh, -c, "echo '[x]'; echo a; echo b"] }`, '/rack.yaml');
    expect(hosts.map(({ name }) => name)).toEqual(['a', 'b']);
  });

  test.each([
    ['{ file: /none }', '5: cannot read /none: does not exist'],
    [
      '{ command: [/bin/sh, -c, "echo broken >&2; exit 3"] }',
      '5: /bin/sh -c echo broken >&2; exit 3 ended with 3: broken',
    ],
    ['{ command: [/no/such/program] }', '5: /no/such/program: '],
    ['{ file: a, command: [b] }', '5: must have either file or command'],
  ])('hosts that cannot be read are a problem: %s', async (source, message) => {
    expect((await messagesOf(fleetOf(`hosts: ${source}`, '/rack.yaml')))[0]).toContain(message);
  });

  test.each([
    ['[a]\nw1 oops', '2: "oops" must have the form name=value'],
    ['[a]\nw1 ansible_port=x', '2: transport.port must be an integer'],
    ['[a:others]\nw1', '1: a group has no section others'],
    ['w1 ansible_host="10.0.0.1 10.0.0.2"', '1: address has the wrong form "10.0.0.1 10.0.0.2"'],
  ])('a wrong inventory is a problem with its line: %j', async (text, message) => {
    expect((await messagesOf(fleetOf(`hosts: { file: ${fileWith(text)} }`)))[0]).toContain(message);
  });

  test('a group that the inventory does not have is a problem', async () => {
    expect(await messagesOf(fleetOf(`hosts: { file: ${fileWith(INI)}, workers: kube_nodes }`))).toEqual([
      '5: the inventory has no group kube_nodes',
    ]);
  });
});
