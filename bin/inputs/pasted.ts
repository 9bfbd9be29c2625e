/** Words of a command line as people paste them: from web pages, chats, and lines that a backslash continues. */
import { EXIT, JoinError } from '../../engine/sdk/index.ts';
import { oddCharacter } from '../../engine/sdk/odd-characters.ts';

/** Blanks, and characters without a width, which do not show. */
const INVISIBLE = '[\\s\\u200b-\\u200d\\u2060\\ufeff]';
const OUTER_INVISIBLE = new RegExp(`^${INVISIBLE}+|${INVISIBLE}+$`, 'g');

/** The text without blanks, line ends and invisible characters around it. */
export const visibleText = (text: string): string => text.replace(OUTER_INVISIBLE, '');

/** What word processors and web pages make of `-` and of quotes. */
const DASHES = '‐‑‒–—―−';
const QUOTES = '“”„«»‘’';
const FLAG = new RegExp(`^-?[${DASHES}]+([A-Za-z][A-Za-z0-9-]*)`);
const QUOTED = new RegExp(`^[${QUOTES}]|[${QUOTES}]$|=[${QUOTES}]`);

/** What stands before the arguments when a whole line is pasted. */
const PREFIX = /^(\$|#|sudo|kubeadm|join)$/;

/**
 * The words without what a shell would have dropped: blanks, backslashes at the end of a line, and the beginning of a
 * pasted line (`$ sudo kubeadm join`). E_USAGE for dashes and quotes of web pages, which may have changed a value.
 */
export function pastedWords(argv: readonly string[]): string[] {
  const words = argv.flatMap(separate).map(visibleText);
  const kept = words.filter((word, index) => (word !== '' && word !== '\\') || argv[index] === '');
  for (const word of kept) assertTyped(word);
  const first = kept.findIndex((word) => !PREFIX.test(word));
  return kept.slice(0, first).includes('kubeadm') ? kept.slice(first) : kept;
}

/** A line that is quoted as a whole, or words with a line break or a blank of a web page between them. */
const separate = (word: string): string[] =>
  /^\s*([$#]\s+)?(sudo\s+)?kubeadm\s+join\s/.test(word) || /\\?\r?\n\s*--/.test(word) || WEB_BLANK.test(word)
    ? word.split(/\\?\s+/)
    : [word];

/** A shell does not split words at these. No value has them. */
const WEB_BLANK = /[\u00a0\u2007\u202f\u3000]/;

function assertTyped(word: string): void {
  const [, name] = FLAG.exec(word) ?? [];
  const found = name === undefined ? QUOTED.exec(word)?.[0].replace('=', '') : word.replace(/^-/, '')[0];
  if (found === undefined) return;
  const character = oddCharacter(found);
  throw JoinError.own({
    code: 'E_USAGE',
    message:
      name === undefined
        ? `a value has the character ${character}, which is not a quote of the shell`
        : `"${found}${name}" begins with the character ${character}, which is not a hyphen`,
    hint:
      name === undefined
        ? 'The line was probably copied from a web page. Type the quotes again as " or \'.'
        : `The line was probably copied from a web page. Type two hyphens: --${name}`,
    exitCode: EXIT.usage,
  });
}
