/**
 * The values of the unit `binary` of fast-check, for `fc.string({ unit: codePoint })`. That unit first makes a list of
 * all code points, which takes more than a second in each process.
 */
import fc from 'fast-check';

const LAST = 0x10ffff;
/** Halves of surrogate pairs are not characters. */
const SURROGATES = { first: 0xd800, count: 0x800 };

export const codePoint = fc.nat({ max: LAST - SURROGATES.count }).map(
  (index) => String.fromCodePoint(index < SURROGATES.first ? index : index + SURROGATES.count),
  // fast-check asks whether names such as __proto__ consist of such units.
  (text) => {
    const [character = '', ...others] = String(text);
    const point = character.codePointAt(0);
    if (point === undefined || others.length > 0) throw new Error(`${text} is not one code point`);
    return point < SURROGATES.first ? point : point - SURROGATES.count;
  },
);
