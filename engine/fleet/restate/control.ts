/** The object `joinery-control`, keyed by fleet: at most one unfinished rollout, and what the operator asks of it. */

import type { RolloutAction } from '../board.ts';
import { type Begun, CONTROL, ROLLOUT, type RolloutInput, type RolloutService } from './names.ts';
import { type ObjectContext, object } from './sdk.ts';

interface ControlState {
  rollout: string;
  isOver: boolean;
  /** Awakeable of the workflow that waits for an action. */
  listener: string;
  /** Actions that nothing has waited for yet. */
  queue: RolloutAction[];
  [name: string]: unknown;
}
type Control = ObjectContext<ControlState>;

export const controlHandlers = {
  /** Begins `rollout`, unless the fleet has an unfinished one. */
  async begin(
    context: Control,
    { rollout, input }: { rollout: string; input: RolloutInput },
  ): Promise<Pick<Begun, 'rollout'>> {
    const known = await context.get('rollout');
    if (known !== null && (await context.get('isOver')) !== true) return { rollout: known };
    context.clearAll();
    context.set('rollout', rollout);
    context.workflowSendClient<RolloutService>(ROLLOUT, rollout).run(input);
    return { rollout };
  },

  /** The newest rollout of the fleet. */
  async current(context: Control): Promise<{ rollout: string | null; isOver: boolean }> {
    return { rollout: await context.get('rollout'), isOver: (await context.get('isOver')) === true };
  },

  async act(context: Control, action: RolloutAction): Promise<void> {
    const listener = await context.get('listener');
    if (listener === null) return context.set('queue', [...((await context.get('queue')) ?? []), action]);
    context.clear('listener');
    context.resolveAwakeable(listener, action);
  },

  /** The workflow waits for the next action. */
  async listen(context: Control, listener: string): Promise<void> {
    const [next, ...rest] = (await context.get('queue')) ?? [];
    if (next === undefined) return context.set('listener', listener);
    context.set('queue', rest);
    context.resolveAwakeable(listener, next);
  },

  async end(context: Control, rollout: string): Promise<void> {
    if ((await context.get('rollout')) === rollout) context.set('isOver', true);
  },
};

export const controlObject = () => object({ ...CONTROL, handlers: controlHandlers });
