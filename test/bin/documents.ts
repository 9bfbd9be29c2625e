/** What `--output json` prints, held to the schema of its kind. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'vitest';
import { PROJECT } from '../helpers/sources.ts';

const SCHEMA_OF = {
  RunResult: 'run-result',
  Event: 'event',
  UndoResult: 'undo-result',
  UndoPlan: 'undo-plan',
  RunList: 'runs',
  Run: 'runs',
  Plan: 'plan',
  Diagnosis: 'diagnosis',
  PipelineExplanation: 'pipeline-explanation',
  PipelineValidation: 'pipeline-validation',
  PipelineList: 'pipeline-list',
  PhaseList: 'phase-list',
  PluginList: 'plugin-list',
  BootstrapTokenList: 'token-list',
  ConfigValidation: 'config-validation',
  ConfigMigration: 'config-migration',
  SavedPlan: 'saved-plan',
  FleetPlan: 'fleet-plan',
  FleetStatus: 'fleet-status',
  FleetValidation: 'fleet-validation',
};
export const documentKinds = Object.keys(SCHEMA_OF);
const idOf = (name: string): string => `https://joinery.dev/schemas/${name}.schema.json`;

const ajv = new Ajv2020({ strict: false, validateFormats: false });
for (const name of new Set(Object.values(SCHEMA_OF)))
  ajv.addSchema(JSON.parse(readFileSync(join(PROJECT, `schemas/${name}.schema.json`), 'utf8')));

export function documentOf(kind: keyof typeof SCHEMA_OF, stdout: string) {
  const document = JSON.parse(stdout);
  expect(document.kind).toBe(kind);
  const isValid = ajv.validate(idOf(SCHEMA_OF[kind]), document);
  expect(isValid, ajv.errorsText()).toBe(true);
  return document;
}
