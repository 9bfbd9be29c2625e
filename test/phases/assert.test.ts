import { expect, test } from 'vitest';
import { memoryHost } from '../../engine/testing/memory-host.ts';
import assertPhase from '../../phases/assert/index.ts';
import { itKeepsThePhaseContract, runPhase } from '../helpers/contract.ts';

test('a false assertion fails the run with its own message', async () => {
  const { error } = await runPhase(assertPhase, { that: false, message: 'the disk is too small' }, memoryHost());
  expect(error).toMatchObject({ code: 'E_ASSERT', message: 'the disk is too small', exitCode: 4, transient: false });
});

test('a true assertion does nothing', async () => {
  const { error, changes } = await runPhase(assertPhase, { that: true, message: 'x' }, memoryHost());
  expect([error, changes]).toEqual([undefined, []]);
});

itKeepsThePhaseContract(assertPhase, {
  input: { that: true, message: 'x' },
  machine: () => ({}),
  secrets: [],
  changesNothing: true,
});
