/** The prose of a file: its comments and strings, or the whole of a document. Code becomes NUL, so positions stay. */

const CODE = '\0';
const TOKEN =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`|\$\{|[{}]|\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[dgimsuvy]*/g;
const AFTER_OPERAND = /(?:[\w$)\]}]|\bthis)\s*$/;
const KEYWORD = /\b(?:return|case|typeof|of|in|await|yield)\s*$/;

const hidden = (text: string): string => text.replace(/\S/g, CODE);
const commentText = (comment: string): string =>
  comment.replace(/^\/[/*]+|\*\/$/g, (mark) => ' '.repeat(mark.length)).replace(/^(\s*)\*/gm, '$1 ');

/** Where the text of a template literal ends: at its closing quote, or at a `${`. */
function templateEnd(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '`' || text.startsWith('${', at)) return at;
  }
  return text.length;
}

/** Comments and strings of TypeScript; everything else is hidden. */
export function proseOfCode(text: string): string {
  const parts: string[] = [];
  /** For each open `{`: whether it belongs to a template literal, which continues after the `}`. */
  const braces: boolean[] = [];
  let at = 0;
  const take = (end: number, show: (part: string) => string) => {
    parts.push(show(text.slice(at, end)));
    at = end;
  };
  const template = () => {
    take(templateEnd(text, at), (part) => part);
    if (text[at] === '`') return take(at + 1, hidden);
    braces.push(true);
    take(Math.min(at + 2, text.length), hidden);
  };
  while (at < text.length) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    take(match?.index ?? text.length, hidden);
    if (match === null) break;
    const [token] = match;
    const before = text.slice(Math.max(0, at - 20), at);
    if (token.startsWith('//') || token.startsWith('/*')) take(at + token.length, commentText);
    else if (token.startsWith('/')) {
      const isDivision = AFTER_OPERAND.test(before) && !KEYWORD.test(before);
      take(at + (isDivision ? 1 : token.length), hidden);
    } else if (token.startsWith("'") || token.startsWith('"'))
      take(at + token.length, (part) => CODE + part.slice(1, -1) + CODE);
    else if (token === '`') {
      take(at + 1, hidden);
      template();
    } else {
      take(at + token.length, hidden);
      if (token !== '}') braces.push(false);
      else if (braces.pop() === true) template();
    }
  }
  return parts.join('');
}

/** The prose of a file by the kind of file that its name says. */
export const proseOf = (path: string, text: string): string => (/\.tsx?$/.test(path) ? proseOfCode(text) : text);
