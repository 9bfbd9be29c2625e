/** Something wrong with a document, where it is. */
export interface Problem {
  file: string;
  /** From 1. */
  line: number;
  column: number;
  message: string;
  /** What is broken, in kebab case; absent for kubeadm's configuration files. */
  rule?: string;
  /** The lines around it, and it underlined. */
  frame?: string;
}
