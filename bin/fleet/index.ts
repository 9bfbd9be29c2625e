/** What the commands of fleets use. The build bundles it separately, because no other command needs it. */
export { fleetPlanDocument, fleetPlanText } from '../render/fleet-plan.ts';
export { reportText, statusText } from '../render/fleet-status.ts';
export { validationDocument, validText } from '../render/fleet-validation.ts';
export { loadFleetFile, validateFleetFile } from './load.ts';
export { operate } from './operate.ts';
export { announceDashboard, showRollout } from './progress.ts';
export { actOn, hasOperator, linkOf, pageOf, statusOf } from './requests.ts';
export { knownFleet } from './state.ts';
