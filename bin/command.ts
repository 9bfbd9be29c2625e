/** What every command shares: its flags, what it prints, and how it ends. */
import { Command, type Interfaces } from '@oclif/core';
import { openFilesError } from '../engine/sdk/errors.ts';
import { EXIT } from '../engine/sdk/index.ts';
import type { App } from './compose.ts';
import { globalFlags } from './inputs/common-flags.ts';
import { outputOf, verbosityOf } from './inputs/raw-flags.ts';
import { coloured } from './render/colour.ts';
import type { HintText } from './render/continuation.ts';
import { type DocumentFormat, documentText } from './render/document.ts';
import { errorText, exitCodeOf, withUsageError } from './render/error.ts';
import { failureText } from './render/failure.ts';

/** Exit code of `--detailed-exitcode` for a plan with changes. Errors with this code then end with 1. */
export const CHANGES = 2;

export abstract class JoinCommand extends Command {
  /** Set by `withApp`. */
  declare protected readonly app: App;
  /** Whether progress is not shown. */
  protected isQuiet = false;

  /** Also reads the flags that all commands have. */
  protected override async parse<
    F extends Interfaces.OutputFlags<Interfaces.FlagInput>,
    B extends Interfaces.OutputFlags<Interfaces.FlagInput>,
    A extends Interfaces.OutputArgs<Interfaces.ArgInput>,
  >(options?: Interfaces.Input<F, B, A>, argv?: string[]): Promise<Interfaces.ParserOutput<F, B, A>> {
    const known = (options ?? this.ctor) as Interfaces.Input<F, B, A>;
    const parsed = await super.parse({ ...known, flags: { ...known.flags, ...globalFlags } as never }, argv);
    const { quiet } = parsed.flags as unknown as { quiet?: boolean };
    this.isQuiet = quiet === true;
    return parsed;
  }

  /** Handles errors before a run: of the command line, of the pipeline, of the machine. */
  protected override async catch(thrown: Interfaces.CommandError): Promise<void> {
    if (thrown.constructor.name === 'ExitError') throw thrown;
    const error = openFilesError(thrown, undefined) ?? withUsageError(thrown);
    const document = await failureText(error, outputOf(this.argv), this.hint);
    if (document !== undefined) this.log(document);
    this.end(error);
  }

  /** Prints a text for people, in colours if standard output has them. */
  protected show(text: string): void {
    this.log(coloured(text, process.stdout));
  }

  protected async print(document: object, format: DocumentFormat): Promise<void> {
    this.log(await documentText(document, format));
  }

  /** What is printed from here on was done. It stands, and so does the exit code, even if that cannot be printed. */
  protected startReport(): void {
    this.app.output.isReport = true;
  }

  /** Prints what was done. */
  protected report(text: string): void {
    this.startReport();
    this.show(text);
  }

  /** A command in a hint as the user would type it. */
  protected readonly hint: HintText = (text) => this.app.invocation.hint(text);

  /** Prints the error, and sets the exit code. */
  protected end(error: unknown): void {
    this.printError(error);
    this.exitWith(error);
  }

  protected printError(error: unknown, hint: HintText = this.hint): void {
    const options = { version: this.config.version, verbosity: verbosityOf(this.argv), hint };
    process.stderr.write(`${coloured(errorText(error, options), process.stderr)}\n`);
  }

  protected exitWith(error: unknown): void {
    const code = exitCodeOf(error);
    process.exitCode = code === CHANGES && this.argv.includes('--detailed-exitcode') ? EXIT.bug : code;
  }
}

declare class ConcreteCommand extends JoinCommand {
  override run(): Promise<unknown>;
}

/** oclif instantiates commands itself, so each command gets the application through a subclass. */
export const withApp = (app: App, command: Command.Class): Command.Class =>
  class extends (command as unknown as typeof ConcreteCommand) {
    static override flags = { ...command.flags, ...globalFlags };
    protected override readonly app = app;
  } as unknown as Command.Class;
