/** The output of the API: a document, or a watch that sends changes until it ends. */
import type { Watch } from './watch.ts';

export interface Document {
  code: number;
  /** The server sends an object as JSON and a string unchanged. */
  body: object | string;
}

export type Answer = Document | { watch: Watch };
