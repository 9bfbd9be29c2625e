/** Makes the help of oclif fit the terminal. */
import { CommandHelp, Help } from '@oclif/core';

interface Formatter {
  indentSpacing: number;
  command: { id: string };
  opts: { maxWidth: number };
  wrap(body: string, spacing?: number): string;
  usage(): string;
  render(text: string): string;
}
interface Printer {
  opts: { maxWidth: number };
  log(...words: string[]): void;
}
/** oclif indents long lists of flags by two columns more than it wraps them for: a terminal would wrap them again. */
const FORGOTTEN = 2;
/** oclif measures a usage line with this in the place of the command. */
const PLACEHOLDER = '<%= command.id %>';

export function fitHelpToWidth(): void {
  if (Object.hasOwn(CommandHelp.prototype, 'wrap')) return;
  const formatter = CommandHelp.prototype as unknown as Formatter;
  const { wrap, usage } = formatter;
  formatter.wrap = function (this: Formatter, body, spacing = this.indentSpacing) {
    return wrap.call(this, body, spacing + FORGOTTEN);
  };
  formatter.usage = function (this: Formatter) {
    const { opts, command } = this;
    const unmeasured = Math.max(0, command.id.length - PLACEHOLDER.length);
    this.opts = { ...opts, maxWidth: opts.maxWidth - unmeasured };
    return usage.call(this);
  };
  wrapTitles(wrap);
}

/** oclif does not wrap titles, the only lines that are not indented. */
function wrapTitles(wrap: Formatter['wrap']): void {
  const printer = Help.prototype as unknown as Printer;
  const { log } = printer;
  printer.log = function (this: Printer, ...words) {
    const formatter = { opts: this.opts, render: (text: string) => text } as Formatter;
    log.call(this, ...words.map((text) => text.replace(/^\S.*$/gm, (title) => wrap.call(formatter, title, 0))));
  };
}
