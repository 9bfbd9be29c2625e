/** Characters that web pages, chats and word processors put in the place of those that people type. */

/** By character. None of them has a meaning in a name, a flag or a configuration. */
const NAMES: Readonly<Record<string, string>> = {
  '‐': 'hyphen',
  '‑': 'non-breaking hyphen',
  '‒': 'figure dash',
  '–': 'en dash',
  '—': 'em dash',
  '―': 'horizontal bar',
  '−': 'minus sign',
  '“': 'quotation mark',
  '”': 'quotation mark',
  '„': 'quotation mark',
  '«': 'quotation mark',
  '»': 'quotation mark',
  '‘': 'quotation mark',
  '’': 'quotation mark',
  '\u00a0': 'no-break space',
  '\u00ad': 'soft hyphen',
  '\u200b': 'zero-width space',
  '\u200c': 'zero-width non-joiner',
  '\u200d': 'zero-width joiner',
  '\u202f': 'narrow no-break space',
  '\u2060': 'word joiner',
  '\u3000': 'ideographic space',
  '\ufeff': 'byte order mark',
  '\ufffd': 'replacement of a byte that is not UTF-8',
};
const ODD = new RegExp(`[${Object.keys(NAMES).join('')}]`);
const INVISIBLE = /[\s\p{Cf}]/u;

/** The first such character of the text, as people can find it: `– (en dash, U+2013)`. Undefined without one. */
export function oddCharacter(text: string): string | undefined {
  const [found] = ODD.exec(text) ?? [];
  if (found === undefined) return undefined;
  const code = `U+${found.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}`;
  return INVISIBLE.test(found) ? `${code} (${NAMES[found]})` : `${found} (${NAMES[found]}, ${code})`;
}

/** The same as the end of an error message; empty without such a character. */
export function oddCharacterNote(text: string): string {
  const found = oddCharacter(text);
  return found === undefined ? '' : `; it contains the character ${found}: type it again`;
}
