import { describe, expect, test } from 'vitest';
import { type MemoryMachine, memoryHost } from '../../engine/testing/memory-host.ts';
import file from '../../phases/file/index.ts';
import { itKeepsThePhaseContract, runPhase } from '../helpers/contract.ts';
import { joinErrorOf } from '../helpers/errors.ts';

const machine = (): MemoryMachine => ({
  files: {
    '/etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nkube:x:990:991::/:/bin/false\n',
    '/etc/group': 'root:x:0:\nadm:x:4:kube\n',
    '/etc/motd': 'old\n',
    '/srv/motd.tpl': 'This is {{ name }}, of {{role}}.\n',
  },
});
const defaults = { path: '/etc/motd', mode: '0644', absent: false };
const written = async (input: Record<string, unknown>) => {
  const host = memoryHost(machine());
  const { error, changes, result } = await runPhase(file, { ...defaults, ...input }, host);
  return { error, changes, outputs: result.steps[0]?.outputs, host };
};

itKeepsThePhaseContract(file, {
  input: { path: '/etc/app/app.conf', content: 'name={{ name }}\n', values: { name: 'w1' }, owner: 'kube:adm' },
  machine,
  secrets: [],
});
itKeepsThePhaseContract(file, {
  input: { path: '/etc/app/key', secretContent: 'canary-content-17', mode: '0600' },
  machine,
  secrets: ['canary-content-17'],
});
itKeepsThePhaseContract(file, { input: { path: '/etc/motd', absent: true }, machine, secrets: [] });

describe('file', () => {
  test('the phase file writes a file from a template, with mode and owner', async () => {
    const values = { name: 'w1', role: 'workers' };
    const { changes, outputs } = await written({ template: '/srv/motd.tpl', values, mode: '0640', owner: 'kube' });
    expect(changes).toEqual([
      {
        kind: 'file',
        path: '/etc/motd',
        action: 'replace',
        mode: 0o640,
        content: 'This is w1, of workers.\n',
        owner: { uid: 990, gid: 991 },
      },
    ]);
    expect(outputs).toEqual({ changed: true });
  });

  test('the phase file reports no change if the file is already correct', async () => {
    const { changes, outputs } = await written({ content: 'old\n' });
    expect([changes, outputs]).toEqual([[], { changed: false }]);
  });

  test('the phase file keeps double braces if there are no values', async () => {
    const { changes } = await written({ content: '{{ x }}' });
    expect(changes).toMatchObject([{ content: '{{ x }}' }]);
  });

  test.each([
    [{ template: '/b' }, 'the template /b does not exist'],
    [{ secretContent: 'a' }, 'secretContent must not be readable by all users, but mode is 0644'],
    [{ content: 'a', owner: 'nobody9' }, 'there is no user or group nobody9 on this machine'],
    [{ content: '{{ a }} {{ b }}', values: { a: '1' } }, 'values has no value for {{ b }}'],
  ])('the phase file refuses %j before anything is changed', async (input, problems) => {
    const { error, host } = await written(input);
    expect(error).toMatchObject({
      code: 'E_PHASE_INPUT',
      message: `the inputs of phase file contradict each other: ${problems}`,
    });
    expect(host.changes).toEqual([]);
  });

  test.each([{}, { content: 'a', template: '/b' }, { absent: true, content: 'a' }])(
    'the phase file refuses %j at validation time, because the inputs exclude each other',
    async (input) => {
      const error = await joinErrorOf(() => written(input));
      expect(error).toMatchObject({
        code: 'E_INPUT',
        message: 'needs exactly one of: content, secretContent, template, absent',
      });
    },
  );
});
