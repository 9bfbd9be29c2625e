/** A control plane in memory that stops at every eighth state. All of them take some 20 minutes. */
import { itSurvivesKills } from '../helpers/control-plane-kills.ts';

itSurvivesKills(8);
