import type { Log } from '../../sdk/ports.ts';
import type { Attempt } from './attempt.ts';

export const logPort = ({ options }: Attempt): Log => ({
  info: (text) => options.log('info', text),
  warn: (text) => options.log('warn', text),
});
