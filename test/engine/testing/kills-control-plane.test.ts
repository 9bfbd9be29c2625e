/** A sample of the states. `npm run test:crash` stops a control plane at more of them. */
import { itSurvivesKills } from '../../helpers/control-plane-kills.ts';

itSurvivesKills(64);
