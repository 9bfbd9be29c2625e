/** A control plane in memory that stops at every point with a state of its own. */
import { itSurvivesKills } from '../helpers/control-plane-kills.ts';

itSurvivesKills(1);
