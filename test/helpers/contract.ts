/** The contract of phases as tests of vitest. */
import { describe, test } from 'vitest';
import type { AnyPhase } from '../../engine/sdk/index.ts';
import { type ContractCase, promisesOf } from '../../engine/testing/contract.ts';

export { type ContractCase, promisesOf } from '../../engine/testing/contract.ts';
export { runPhase } from '../../engine/testing/run-phase.ts';

export function itKeepsThePhaseContract(phase: AnyPhase, contract: ContractCase): void {
  describe(`${phase.name} keeps the contract of phases`, () => {
    test.each(promisesOf(phase, contract))('$title', ({ check }) => check());
  });
}
