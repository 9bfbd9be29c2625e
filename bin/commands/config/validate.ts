/** `join config validate FILE`: reports every problem of a kubeadm configuration file. */
import { Args } from '@oclif/core';
import { planOf } from '../../../engine/pipeline/plan.ts';
import type { HostFacts } from '../../../engine/sdk/index.ts';
import { JoinCommand } from '../../command.ts';
import type { App } from '../../compose.ts';
import { outputFlag } from '../../inputs/common-flags.ts';
import { lenientFlag, warningLines } from '../../inputs/config-documents.ts';
import { withProblems } from '../../inputs/merge.ts';
import { type ConfigFile, namedBy, plainValues } from '../../inputs/values.ts';
import { CONTROL_PLANE_PIPELINE, DEFAULT_PIPELINE } from '../../pipelines.ts';

export class ConfigValidate extends JoinCommand {
  static override summary = 'Check a kubeadm configuration file';
  static override description =
    'Supports NodeConfiguration v1alpha1 and v1alpha2, and JoinConfiguration v1alpha3 to v1beta4. ' +
    'Finds what join run --config FILE would reject before it begins.';
  static override args = { file: Args.string({ required: true, description: 'File to check' }) };
  static override flags = { lenient: lenientFlag, output: outputFlag };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ConfigValidate);
    const { file } = args;
    // Late, so that other commands start faster.
    const { loadJoinConfiguration } = await import('../../../engine/kubeadm/index.ts');
    const { openConfigFile } = await import('../../inputs/config-file.ts');
    const config = await openConfigFile({ file, lenient: flags.lenient });
    const { apiVersion, settings, warnings } = loadJoinConfiguration(file, config.text, flags);
    await assertPlannable(this.app, config);
    process.stderr.write(warningLines(warnings));
    if (flags.output === 'text') return this.log(`${file}: valid ${apiVersion}, no problems`);
    const document = { apiVersion: 'joinery.dev/v1', kind: 'ConfigValidation', file, valid: true };
    await this.print({ ...document, version: apiVersion, settings, warnings }, flags.output);
  }
}

/** The file may be meant for another machine than this one. */
const ANY_HOST: HostFacts = { name: 'w1', privileged: true, architecture: 'amd64', distribution: 'debian' };

/** E_INPUT with what the pipeline of the file finds in it, such as phases to skip that do not exist. */
async function assertPlannable({ catalog, registry }: App, config: ConfigFile & { isControlPlane: boolean }) {
  const { mergeWithConfigFile } = await import('../../inputs/config-file.ts');
  const pipelineFor = await catalog.openOverlaid(config.isControlPlane ? CONTROL_PLANE_PIPELINE : DEFAULT_PIPELINE, []);
  const pipeline = pipelineFor(ANY_HOST);
  const { values, problems } = mergeWithConfigFile(config, pipeline.inputs, {});
  withProblems(problems, () => planOf(pipeline, registry, plainValues(values), ANY_HOST, namedBy(values)));
}
