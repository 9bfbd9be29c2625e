/** The names of inputs on the command line. */
import type { Violation } from '../documents/validate.ts';

/** `discoveryToken` → `discovery-token`. */
export const kebabCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** `discoveryToken` → `--discovery-token`. */
export const flagName = (input: string): string => `--${kebabCase(input)}`;

/**
 * Words a violation in the values of inputs. `input` names the violated input if the path does not, and `nameOf` says
 * where the value of an input came from.
 */
export function flagProblem({ path, key, missing, message }: Violation, input?: string, nameOf = flagName): string {
  const name = input ?? path[0] ?? key ?? missing;
  if (name === undefined) return message;
  return missing === undefined ? `${nameOf(String(name))} ${message}` : `${nameOf(String(name))} is missing`;
}
