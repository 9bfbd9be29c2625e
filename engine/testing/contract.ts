/** What every phase promises, as tests for any runner. docs/writing-a-phase.md explains what each test is for. */
import type { AnyPhase } from '../sdk/index.ts';
import type { ContractCase } from './contract-case.ts';
import { ContractChecks } from './contract-checks.ts';

export type { ContractCase } from './contract-case.ts';

export interface ContractTest {
  title: string;
  check: () => Promise<void>;
}

/** Registers the contract with a runner: pass `test` of `node:test`, of vitest, or of any other. */
export function itKeepsThePhaseContract(
  phase: AnyPhase,
  contract: ContractCase,
  test: (title: string, check: () => Promise<void>) => unknown,
): void {
  for (const { title, check } of contractTests(phase, contract)) test(`${phase.name} ${title}`, check);
}

export function contractTests(phase: AnyPhase, contract: ContractCase): ContractTest[] {
  const checks = new ContractChecks(phase, contract);
  return [
    {
      title: 'describes every input, and its effects only name inputs that exist',
      check: async () => checks.declaration(),
    },
    { title: 'declares every change of a run, and its dry run reports the same changes', check: () => checks.dryRun() },
    { title: 'changes nothing the second time', check: () => checks.secondRun() },
    {
      title: 'fails cleanly, keeps its secrets and can be undone, whichever of its calls fails',
      check: () => checks.failures(),
    },
    { title: 'can be undone and resumed, wherever its process is killed', check: () => checks.kills() },
  ];
}
