/** The CEL library. bin/build/build.js makes the bundle load it on first use, because most pipelines do not need it. */
import * as cel from '@marcbachmann/cel-js';

export const celLibrary = (): typeof cel => cel;
