/** The pipeline that a command line asks for, by --pipeline or by the role of the machine. */
import type { Pipeline } from '../../engine/pipeline/load.ts';
import { fail } from '../../engine/sdk/index.ts';
import { CONTROL_PLANE_PIPELINE, DEFAULT_PIPELINE } from '../pipelines.ts';
import { hasControlPlaneFlag } from './kubeadm-line.ts';
import { valuesOfFlag } from './raw-flags.ts';
import type { ConfigFile } from './values.ts';

export interface PipelineChoice {
  name: string;
  /** The file that `--config` names. */
  config: ConfigFile | undefined;
  /** The inputs of that pipeline. E_INPUT if it joins workers, and the machine is to be a control plane. */
  inputsOf(pipeline: Pipeline): Pipeline['inputs'];
}

/** `words` are the cleaned command line: without what a web page adds to a pasted one. E_CONFIG_FILE. */
export async function choosePipeline(words: readonly string[]): Promise<PipelineChoice> {
  const config = await configOf(words);
  const asking = config?.isControlPlane === true ? `controlPlane in ${config.file}` : '--control-plane';
  const isControlPlane = config?.isControlPlane === true || hasControlPlaneFlag(words);
  const standard = isControlPlane ? CONTROL_PLANE_PIPELINE : DEFAULT_PIPELINE;
  const [name = standard] = valuesOfFlag('--pipeline', words).slice(-1);
  return {
    name,
    config,
    inputsOf({ inputs }) {
      if (!isControlPlane || inputs.properties.certificateKey !== undefined) return inputs;
      const remedy = `use --pipeline ${CONTROL_PLANE_PIPELINE}, or a pipeline that extends it`;
      throw fail('E_INPUT', {
        problems: [`${asking} does not fit the pipeline ${name}, which joins a worker: ${remedy}`],
      });
    },
  };
}

async function configOf(words: readonly string[]) {
  const [file = ''] = valuesOfFlag('--config', words).slice(-1);
  if (file === '') return undefined;
  const isPiped = (word: string) => word === '-' || word.endsWith('=-');
  // Standard input is not read if several flags would read it, which is a problem of the flags.
  if (file === '-' && words.filter(isPiped).length > 1)
    return { file, text: '', lenient: false, isControlPlane: false };
  const { openConfigFile } = await import('./config-file.ts'); // late, because most joins have no file
  return openConfigFile({ file, lenient: words.includes('--lenient') });
}
