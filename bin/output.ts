/** Standard output and standard error. Either may be closed, full or lost, which never changes what a command does. */
import { closeSync, fstatSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { isatty } from 'node:tty';
import { reasonOf } from '../engine/limits/errno.ts';
import { fail, type JoinError } from '../engine/sdk/index.ts';

type StandardStream = Writable & { fd: number; _handle?: { setBlocking?(isBlocking: boolean): void } };

export class Output {
  #error: NodeJS.ErrnoException | undefined;

  /** Whether the output only reports what was done, which stands even if the output is lost. */
  isReport = false;

  /** Call it before anything is written. */
  guard(): void {
    process.removeAllListeners('warning'); // warnings of Node are for developers
    process.on('SIGXFSZ', () => undefined); // a write beyond the limit of file sizes only fails
    keepErrors(process.stdout as StandardStream, (error) => {
      this.#error ??= error;
    });
    keepErrors(process.stderr as StandardStream, () => undefined); // there is no other place to report it
    tolerateHangup();
  }

  /** E_STDOUT if standard output is incomplete, unless its reader has left. */
  get lost(): JoinError | undefined {
    if (this.#error === undefined || this.#error.code === 'EPIPE') return undefined;
    return fail('E_STDOUT', { what: reasonOf(this.#error) }, this.#error);
  }

  /** Waits as long as a slow reader needs. */
  async drain(): Promise<void> {
    for (const stream of [process.stdout, process.stderr])
      await new Promise<void>((resolve) => stream.write('', () => resolve()));
  }
}

function keepErrors(stream: StandardStream, keep: (error: NodeJS.ErrnoException) => void): void {
  stream.removeAllListeners('error').on('error', keep); // oclif's own listener ends the process
  // Or Node waits for a terminal that was stopped with Ctrl-S, and every step of a run with it.
  stream._handle?.setBlocking?.(false);
  if (stream instanceof Socket) return; // a pipe, a socket or a terminal
  // Node's stream for files and devices does not notice if only a part was written.
  stream._write = (chunk: Buffer, _encoding, done) => {
    try {
      writeFileSync(stream.fd, chunk);
    } catch (error) {
      keep(error as NodeJS.ErrnoException);
    }
    done();
  };
}

/** At exit, Node restores the modes of the terminals that it has started with, and aborts if one of them is lost. */
function tolerateHangup(): void {
  if (isatty(0)) process.stdin.on('error', () => undefined);
  process.on('exit', () => {
    for (const descriptor of [0, 1, 2]) if (mayBeLostTerminal(descriptor)) closeSync(descriptor);
  });
}

/** A terminal may be lost before any of this code runs, and is then only known as a device. */
function mayBeLostTerminal(descriptor: number): boolean {
  try {
    return !isatty(descriptor) && fstatSync(descriptor).isCharacterDevice();
  } catch {
    return false; // it is closed
  }
}
