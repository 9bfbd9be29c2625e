import { expect, test } from 'vitest';
import { type MemoryMachine, memoryHost } from '../../engine/testing/memory-host.ts';
import kubeletVersion from '../../phases/kubelet-version/index.ts';
import { NOW } from '../helpers/cluster.ts';
import { itKeepsThePhaseContract, runPhase } from '../helpers/contract.ts';

const saying = (stdout: string): MemoryMachine => ({
  now: () => NOW,
  programs: ['kubelet'],
  outputs: { 'kubelet --version': { stdout } },
});
const ask = (machine: MemoryMachine) => runPhase(kubeletVersion, {}, memoryHost(machine));

itKeepsThePhaseContract(kubeletVersion, {
  input: {},
  machine: () => saying('Kubernetes v1.30.2\n'),
  secrets: [],
  changesNothing: true,
});

test.each(['v1.20.2', 'v1.31.0-rc.1', 'v1.28.3+k3s1'])('kubelet-version outputs the version %s', async (version) => {
  const { result } = await ask(saying(`Kubernetes ${version}\n`));
  expect(result.steps[0]?.outputs).toEqual({ kubeletVersion: version });
});

test('kubelet-version fails for unexpected output, and without a kubelet', async () => {
  expect((await ask(saying('Segmentation fault'))).error).toMatchObject({ code: 'E_COMMAND_FAILED' });
  expect((await ask({ now: () => NOW })).error).toMatchObject({ code: 'E_PROGRAM_MISSING', exitCode: 6 });
});

test('kubelet-version quotes what a kubelet that cannot run has printed', async () => {
  const stderr = "libc.so.6: version `GLIBC_2.34' not found\n";
  const { error } = await ask({ ...saying(''), outputs: { 'kubelet --version': { exitCode: 1, stderr } } });
  expect(error).toMatchObject({ code: 'E_COMMAND_FAILED', facts: { exitCode: 1, output: stderr.trim() } });
});
