import type { Log } from '../../sdk/ports.ts';
import type { GuardedHost } from './guarded-host.ts';

export const logPort = ({ options }: GuardedHost): Log => ({
  info: (text) => options.log('info', text),
  warn: (text) => options.log('warn', text),
});
