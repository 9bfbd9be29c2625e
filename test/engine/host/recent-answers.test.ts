import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { RealHost } from '../../../engine/host/real.ts';
import { rootedMachine } from '../../helpers/machine.ts';

const SIGNAL = new AbortController().signal;
const LOG = 'echo "$(basename "$0") $1" >> "$JOINERY_ROOT/log"; sleep 0.1';

async function machine() {
  const { root, host } = await rootedMachine({
    kubelet: `${LOG}; echo Kubernetes v1.36.2`,
    systemctl: `${LOG}; echo LoadState=loaded`,
  });
  const calls = async () => (await readFile(join(root, 'log'), 'utf8')).trim().split('\n').sort();
  return { host, calls };
}
const versionOf = (host: RealHost, signal = SIGNAL, ...more: string[]) =>
  host.read({ kind: 'output', argv: ['kubelet', '--version', ...more] }, signal);
const statusOf = (host: RealHost) => host.read<'service'>({ kind: 'service', name: 'kubelet' }, SIGNAL);

test('steps that ask for the version of a program at the same time, or soon after, start it once', async () => {
  const { host, calls } = await machine();
  const answers = await Promise.all([versionOf(host), versionOf(host)]);
  answers.push(await versionOf(host));
  expect(answers.map(({ stdout }) => stdout)).toEqual(Array(3).fill('Kubernetes v1.36.2\n'));
  expect(await calls()).toEqual(['kubelet --version']);
});

test('a command with other arguments or another environment is always started', async () => {
  const { host, calls } = await machine();
  await versionOf(host);
  await versionOf(host, SIGNAL, '--verbose');
  await versionOf(host, SIGNAL, '--verbose');
  await host.read({ kind: 'output', argv: ['kubelet', '--version'], environment: { A: 'b' } }, SIGNAL);
  expect(await calls()).toEqual(Array(4).fill('kubelet --version'));
});

test('the status and the unit of a service are asked again after a moment', async () => {
  const { host, calls } = await machine();
  const unit = () => host.read<'unit'>({ kind: 'unit', name: 'kubelet' }, SIGNAL);
  await Promise.all([statusOf(host), statusOf(host), unit(), unit()]);
  expect(await calls()).toEqual(['systemctl cat', 'systemctl show']);
  await sleep(1_050);
  await Promise.all([statusOf(host), unit()]);
  expect(await calls()).toEqual(['systemctl cat', 'systemctl cat', 'systemctl show', 'systemctl show']);
});

test('after a change of the machine, everything is asked again', async () => {
  const { host, calls } = await machine();
  const before = Promise.all([versionOf(host), statusOf(host)]);
  await host.apply({ kind: 'directory', path: '/new', mode: 0o755 }, SIGNAL);
  await Promise.all([before, versionOf(host), statusOf(host)]);
  expect(await calls()).toEqual(['kubelet --version', 'kubelet --version', 'systemctl show', 'systemctl show']);
});

test('a step that is cancelled does not take the answer of another step with it', async () => {
  const { host, calls } = await machine();
  const first = new AbortController();
  const second = new AbortController();
  const cancelled = versionOf(host, first.signal);
  const waiting = [versionOf(host), versionOf(host)];
  const impatient = versionOf(host, second.signal);
  second.abort(new Error('the second step has ended'));
  await expect(impatient).rejects.toThrow('the second step has ended');
  await sleep(50);
  first.abort(new Error('the first step has ended'));
  await expect(cancelled).rejects.toThrow('the first step has ended');
  const answers = await Promise.all(waiting);
  expect(answers.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
  expect(await calls()).toEqual(['kubelet --version', 'kubelet --version']);
});
