/** The RE2 library. bin/build/build.js makes the bundle load it on first use, because most runs do not need it. */
import { RE2JS } from 're2js';

export const re2Library = (): typeof RE2JS => RE2JS;
