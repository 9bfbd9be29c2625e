/** How a step has ended. The pipeline, the journal and the run share these words. */
export type StepStatus =
  | 'succeeded'
  | 'failed'
  /** It failed, and the pipeline allows that. */
  | 'failed-allowed'
  | 'cancelled'
  | 'skipped'
  /** A dry run cannot know whether or with what the step would run. */
  | 'undecided'
  | 'undone'
  | 'undo-failed';

/** Whether steps that need this one can start. A skipped step counts: `needs` is about order. */
export const endsWell = (status: string): boolean =>
  status === 'succeeded' || status === 'failed-allowed' || status === 'skipped' || status === 'undecided';
