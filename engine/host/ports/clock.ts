import type { Clock } from '../../sdk/ports.ts';
import type { Attempt } from './attempt.ts';

export const clockPort = ({ options }: Attempt): Clock => ({ now: () => options.host.now() });
