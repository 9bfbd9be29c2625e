import type { Clock } from '../../sdk/ports.ts';
import type { GuardedHost } from './guarded-host.ts';

export const clockPort = ({ options }: GuardedHost): Clock => ({ now: () => options.host.now() });
