import type { Shape } from './shapes.ts';

/** A function that reads text from outside, and what the fuzzer gives to it. */
export interface Target {
  /** May return, also a promise, or throw a documented JoinError. Everything else is a finding, also a long run. */
  run(bytes: Buffer): unknown;
  /** The docstring of the function says that it throws an Error with a message of one line, too. */
  throwsErrors?: boolean;
  /** Inputs of the kind that the function reads. */
  shape: Shape;
  /** Words that mutations put into other inputs. */
  tokens: readonly string[];
}
