/** oclif indents long lists of flags by two columns more than it wraps them for: a terminal would wrap them again. */
import { CommandHelp } from '@oclif/core';

interface Formatter {
  indentSpacing: number;
  wrap(body: string, spacing?: number): string;
}
const FORGOTTEN = 2;

export function fitHelpToWidth(): void {
  if (Object.hasOwn(CommandHelp.prototype, 'wrap')) return;
  const formatter = CommandHelp.prototype as unknown as Formatter;
  const { wrap } = formatter;
  formatter.wrap = function (this: Formatter, body, spacing = this.indentSpacing) {
    return wrap.call(this, body, spacing + FORGOTTEN);
  };
}
