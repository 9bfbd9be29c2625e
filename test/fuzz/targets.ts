import 'reflect-metadata'; // before the modules that use decorators
import { documentTargets } from './document-targets.ts';
import { pipelineTargets } from './pipeline-targets.ts';
import type { Target } from './target.ts';
import { trustTargets } from './trust-targets.ts';

/** Every function that reads text from outside, by name. The seeds of a target are in corpus/<name>/. */
export const targets: Record<string, Target> = { ...pipelineTargets, ...trustTargets, ...documentTargets };
