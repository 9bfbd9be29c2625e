/** What the commands of fleets use. The build bundles it separately, because no other command needs it. */

export { fleetPlanDocument, fleetPlanText } from '../render/fleet-plan.ts';
export { validationDocument, validText } from '../render/fleet-validation.ts';
export { loadFleetFile, validateFleetFile } from './load.ts';
