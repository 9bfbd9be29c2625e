/** Runs the controllers. Each reconciles soon after a change to its resources is stored, never during the write. */
import type { Change, Store } from '../store.ts';

export interface Controller {
  resources: readonly string[];
  reconcile(change: Change): void;
}

/** Returns a function that stops them. */
export function runControllers(store: Store, controllers: readonly Controller[]): () => void {
  const queue: { controller: Controller; change: Change }[] = [];
  let turn: NodeJS.Immediate | undefined;

  function work(): void {
    turn = undefined;
    for (const { controller, change } of queue.splice(0)) controller.reconcile(change);
  }

  const unsubscribe = store.subscribe((change) => {
    for (const controller of controllers)
      if (controller.resources.includes(change.resource)) queue.push({ controller, change });
    if (queue.length > 0) turn ??= setImmediate(work);
  });
  return () => {
    unsubscribe();
    clearImmediate(turn);
  };
}
