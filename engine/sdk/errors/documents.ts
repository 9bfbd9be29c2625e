/** Errors of pipelines and configuration files. */
import { type ErrorText, EXIT } from './join-error.ts';
import type { Problem } from './problem.ts';
import { list } from './words.ts';

export const documents = {
  E_CONFIG: (d: { problems: readonly Problem[] }) => ({
    message: d.problems.map((p) => `${p.file}:${p.line}:${p.column}: ${p.message}`).join('\n'),
    hint: 'schemas/kubeadm/ describes the fields of each version; join config validate FILE checks without joining.',
    exitCode: EXIT.pipeline,
  }),
  E_CONFIG_FILE: (d: { file: string; what: string }) => ({
    message: `configuration ${d.file} cannot be read: ${d.what}`,
    hint: 'Give a kubeadm configuration file; join config print-defaults > FILE makes one to start from.',
    exitCode: EXIT.pipeline,
  }),
  E_ENVIRONMENT_FILE: (d: { file: string; what: string; shipped: readonly string[] }) => ({
    message: `environment ${d.file} cannot be read: ${d.what}`,
    hint: `Choose a file, or one that ships with Joinery: ${list(d.shipped)}`,
    exitCode: EXIT.pipeline,
  }),
  E_PIPELINE: (d: { problems: readonly Problem[] }) => ({
    message: d.problems.map((p) => `${p.file}:${p.line}:${p.column}: ${p.message}`).join('\n'),
    hint: 'The language is described in schemas/pipeline.schema.json; join pipeline validate FILE checks without running.',
    exitCode: EXIT.pipeline,
  }),
  E_PIPELINE_FILE: (d: { file: string; what: string }) => ({
    message: `pipeline ${d.file} cannot be read: ${d.what}`,
    hint: 'Give a file, or leave out --pipeline for the pipeline that ships with Joinery.',
    exitCode: EXIT.pipeline,
  }),
} satisfies Record<`E_${string}`, (facts: never) => ErrorText>;
