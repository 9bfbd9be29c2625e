/** What the fleet uses of Restate's SDK, and before it what Node 20 lacks. */
import './polyfill.ts';

export {
  createEndpointHandler,
  handlers,
  type ObjectContext,
  object,
  RestatePromise,
  type WorkflowContext,
  type WorkflowSharedContext,
  workflow,
} from '@restatedev/restate-sdk';
