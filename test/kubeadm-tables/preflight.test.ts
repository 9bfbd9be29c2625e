/** kubeadm's tables of preflight checks. */
import { describe, expect, test } from 'vitest';
import { proxyFor } from '../../engine/net/proxy-rule.ts';
import { findCriSocket, ignoreRule, installedKubelet, minorOf } from '../../engine/node/index.ts';
import { fail } from '../../engine/sdk/index.ts';
import { memoryHost } from '../../engine/testing/memory-host.ts';
import preflight from '../../phases/preflight/index.ts';
import { runPhase } from '../helpers/contract.ts';
import { type Case, casesOf, expectKubeadms } from './table.ts';

type Machine = Parameters<typeof memoryHost>[0];
interface Result {
  check: string;
  result: string;
}
const all = casesOf<{ by: string }>('preflight');
const by = <T>(kind: string) => all.filter((each) => each.by === kind) as unknown as (T & Case)[];

async function checksOf(machine: Machine, inputs: Record<string, unknown>): Promise<Result[]> {
  const names = { nodeName: 'w1', privileged: true };
  const { error, result } = await runPhase(preflight, { ...names, ...inputs }, memoryHost(machine));
  if (error !== undefined) return (error as { facts: { checks: Result[] } }).facts.checks;
  return (result.steps[0]?.outputs as { checks: Result[] } | undefined)?.checks ?? [];
}
const resultOf = async (name: string, machine: Machine, inputs: Record<string, unknown>) =>
  (await checksOf(machine, inputs)).find(({ check }) => check === name)?.result;

const withKubelet = (version: string | undefined): Machine =>
  version === undefined
    ? {}
    : { programs: ['kubelet'], outputs: { 'kubelet --version': { stdout: `Kubernetes ${version}` } } };

test.each(by<{ kubelet: string; cluster: string }>('skew'))(
  'a version skew is supported or not as in kubeadm: $id',
  ({ kubelet, cluster, want }) => {
    const older = minorOf(cluster) - minorOf(kubelet);
    expect(older >= 0 && older <= 3).toBe(want);
  },
);

test.each(by<{ out: string; code: number }>('kubelet-version'))(
  'the version of the installed kubelet is read as by kubeadm: $id',
  async ({ out, code, want }) => {
    const query = async () => ({ stdout: out, stderr: '', exitCode: code });
    const commands = { find: async () => '/x', query } as unknown as Parameters<typeof installedKubelet>[0];
    expect(await installedKubelet(commands).catch(() => null)).toBe(want);
  },
);

test.each(by<{ host: string }>('proxy'))('a proxy is used for the same hosts as by kubeadm: $id', ({ host, want }) => {
  const proxy = 'http://proxy.example.com:3128';
  const environment = { HTTPS_PROXY: proxy, NO_PROXY: 'example.com,10.0.0.0/8,2001:db8::/48' };
  expect(proxyFor(new URL(`https://${host}:6443`), environment) !== undefined).toBe(want);
});

test.each(by<{ list: string[]; check: string }>('ignored'))(
  'preflight checks are ignored as in kubeadm: $id',
  ({ list, check, ...expected }) => {
    const ignored = () => {
      try {
        return ignoreRule(list)(check);
      } catch {
        return 'refused';
      }
    };
    expectKubeadms(expected, ignored());
  },
);

test.each(by<{ endpoint: string; kubelet: string }>('forwarding'))(
  'the checks of forwarding fail as in kubeadm: $id',
  async ({ endpoint, kubelet, want }) => {
    const checks = await checksOf(withKubelet(kubelet), { endpoint, criSocket: 'unix:///x' });
    expect(checks.filter((c) => /forward/.test(c.check) && c.result === 'error').map((c) => c.check)).toEqual(want);
  },
);

interface Files {
  have?: string[];
  dirs?: string[];
  text?: Record<string, string>;
  check: string;
  kubelet?: string;
}
test.each(by<Files>('files'))(
  'the checks of files have the results of kubeadm: $id',
  async ({ have = [], dirs = [], text = {}, check, kubelet, ...expected }) => {
    const files = { ...Object.fromEntries(have.map((path) => [path, 'x'])), ...text };
    const machine = { ...withKubelet(kubelet), files, directories: dirs };
    expectKubeadms(expected, await resultOf(check, machine, { endpoint: '10.0.0.1:6443', criSocket: 'unix:///x' }));
  },
);

test.each(by<{ have: string[]; kind: string }>('sockets'))(
  'the same CRI socket is found as by kubeadm: $id',
  async ({ have, kind, want }) => {
    const ports = {
      files: { stat: async (path: string) => (have.includes(path) ? { kind } : undefined) },
      runtime: { status: async () => ({}) },
    } as unknown as Parameters<typeof findCriSocket>[0];
    const found = await findCriSocket(ports, undefined).catch(() => null);
    if (want === null) expect(found).toBeNull();
    else expect(found).toMatch(new RegExp(`${want}$`));
  },
);

test.each(by<{ status: [string, boolean][] | null }>('cri'))(
  'the check CRI has the result of kubeadm: $id',
  async ({ status, ...expected }) => {
    const ready = status?.find(([name]) => name === 'RuntimeReady')?.[1] ?? false;
    const runtimes = status === null ? {} : { '/x': { ready, message: 'm' } };
    expectKubeadms(expected, await resultOf('CRI', { runtimes }, { criSocket: 'unix:///x' }));
  },
);

describe('the call RuntimeConfig', () => {
  test.each(by<{ impl: 'ok' | 'unimplemented' | 'fails' }>('version-check'))(
    'the call RuntimeConfig has the result of kubeadm: $id',
    async ({ impl, want }) => {
      const refused = fail('E_CRI_REFUSED', { socket: '/x', what: 'report its configuration', message: 'broken' });
      const runtimes = {
        get '/x'() {
          if (impl === 'fails') throw refused;
          return { ready: true, runtimeConfig: impl === 'ok' };
        },
      };
      const machine = { ...withKubelet('v1.36.2'), runtimes };
      expect(await resultOf('ContainerRuntimeVersion', machine, { criSocket: 'unix:///x' })).toBe(want);
    },
  );
});
