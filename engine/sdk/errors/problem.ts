/** Something wrong with a document, where it is. */
export interface Problem {
  file: string;
  line: number;
  column: number;
  message: string;
}
