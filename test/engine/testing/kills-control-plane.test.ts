/** A sample of the points. `npm run test:crash` stops a control plane at all of them. */
import { itSurvivesKills } from '../../helpers/control-plane-kills.ts';

itSurvivesKills(16);
