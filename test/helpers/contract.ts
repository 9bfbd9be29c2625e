/** Registers the phase contract with vitest. */
import { describe, test } from 'vitest';
import type { AnyPhase } from '../../engine/sdk/index.ts';
import { type ContractCase, contractTests } from '../../engine/testing/contract.ts';

export { type ContractCase, contractTests } from '../../engine/testing/contract.ts';
export { runPhase } from '../../engine/testing/run-phase.ts';

export function itKeepsThePhaseContract(phase: AnyPhase, contract: ContractCase): void {
  describe(`${phase.name} keeps the contract of phases`, () => {
    test.each(contractTests(phase, contract))('$title', ({ check }) => check());
  });
}
