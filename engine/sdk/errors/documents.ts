/** Pipelines and configuration files that are wrong. */

import { list } from './hints.ts';
import { type ErrorText, EXIT } from './join-error.ts';
import type { Problem } from './problem.ts';

export const documents = {
  E_CONFIG: (d: { problems: readonly Problem[] }) => ({
    message: d.problems.map((p) => `${p.file}:${p.line}:${p.column}: ${p.message}`).join('\n'),
    hint:
      'schemas/kubeadm/ describes the fields of each version. To check the file without joining: join config ' +
      'validate FILE',
    exitCode: EXIT.pipeline,
  }),
  E_CONFIG_FILE: (d: { file: string; what: string }) => ({
    message: `cannot read the configuration file ${d.file}: ${d.what}`,
    hint: 'Check the path. To create a kubeadm configuration file to start from: join config print-defaults > FILE',
    exitCode: EXIT.pipeline,
  }),
  E_ENVIRONMENT_FILE: (d: { file: string; what: string; shipped: readonly string[] }) => ({
    message: `cannot read the environment ${d.file}: ${d.what}`,
    hint: `Choose a file, or a built-in environment: ${list(d.shipped)}`,
    exitCode: EXIT.pipeline,
  }),
  E_MACHINE_CONFIG: (d: { problems: readonly Problem[] }) => ({
    message: d.problems.map((p) => `${p.file}:${p.line}:${p.column}: ${p.message}`).join('\n'),
    hint:
      'schemas/config.schema.json describes the format. To see every value and where it comes from: join pipeline ' +
      'explain values',
    exitCode: EXIT.pipeline,
  }),
  E_PIPELINE: (d: { problems: readonly Problem[] }) => ({
    message: d.problems.map((p) => `${p.file}:${p.line}:${p.column}: ${p.message}`).join('\n'),
    hint:
      'schemas/pipeline.schema.json describes the format. To check the file without running it: join pipeline ' +
      'validate FILE',
    exitCode: EXIT.pipeline,
  }),
  E_PIPELINE_FILE: (d: { file: string; what: string }) => ({
    message: `cannot read the pipeline ${d.file}: ${d.what}`,
    hint: 'Check the path, or omit --pipeline to use the built-in pipeline.',
    exitCode: EXIT.pipeline,
  }),
} satisfies Record<`E_${string}`, (facts: never) => ErrorText>;
