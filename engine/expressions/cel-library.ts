/**
 * The CEL and RE2 libraries. bin/build/build.js makes the bundle load each on first use, because most pipelines need
 * neither.
 */
import * as cel from '@marcbachmann/cel-js';
import { RE2JS } from 're2js';

export const celLibrary = (): typeof cel => cel;
export const re2Library = (): typeof RE2JS => RE2JS;
