/** The libraries behind expressions. The bundle loads each when it is first asked for (see bin/build/build.js): most pipelines need neither. */
import * as cel from '@marcbachmann/cel-js';
import { RE2JS } from 're2js';

export const celLibrary = (): typeof cel => cel;
export const re2Library = (): typeof RE2JS => RE2JS;
