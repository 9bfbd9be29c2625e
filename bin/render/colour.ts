/** Colours of the text for people. They are added last, when the text is already safe for a terminal. */
import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

const SIGN_STYLES: Readonly<Record<string, Style>> = {
  '✓': 'green',
  '✗': 'red',
  '!': 'yellow',
  '?': 'yellow',
  '■': 'yellow',
  '↶': 'cyan',
};
const SIGNED = /^( *)([✓✗!?■↶])(?= )/;
const ERROR = /^(E_[A-Z0-9_]+)(?=[ :])/;
/** Lines of a unified diff, as plans and undos indent them. */
const DIFF = /^ {4,8}([-+]|@@ )/;
const DIFF_STYLES: Readonly<Record<string, Style>> = { '+': 'green', '-': 'red', '@@ ': 'cyan' };

/** Makes the value of `--color` the choice of this process. Any other value is reported when the flags are parsed. */
export function chooseColours(choice: string | undefined): void {
  if (choice === 'always') process.env.FORCE_COLOR = '1';
  if (choice !== 'never') return;
  delete process.env.FORCE_COLOR;
  process.env.NO_COLOR = '1';
}

/** A terminal has colours. The variables that many programs read decide before that, in the order of Node. */
export function hasColours({ isTTY, hasColors }: NodeJS.WriteStream | { isTTY?: false; hasColors?: never }): boolean {
  const { NO_COLOR = '', FORCE_COLOR } = process.env;
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false';
  return NO_COLOR === '' && isTTY === true && hasColors?.() === true;
}

/** `text`, with the colours of its signs, error codes and diffs if `stream` shows colours. */
export function coloured(text: string, stream: NodeJS.WriteStream): string {
  return hasColours(stream) ? text.split('\n').map(colouredLine).join('\n') : text;
}

function colouredLine(line: string): string {
  const [, mark] = DIFF.exec(line) ?? [];
  if (mark !== undefined) return painted(DIFF_STYLES[mark] ?? 'cyan', line);
  return line
    .replace(SIGNED, (_, indent: string, sign: string) => indent + painted(SIGN_STYLES[sign] ?? 'bold', sign))
    .replace(ERROR, (code) => painted(['bold', 'red'], code));
}

/** Node would otherwise decide by its own standard output. */
const painted = (style: Style, text: string): string => styleText(style, text, { validateStream: false });
