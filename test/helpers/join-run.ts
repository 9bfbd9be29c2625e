/** `join run` in this process, as the launcher runs it: its arguments and its results. */
import { type Command, Config } from '@oclif/core';
import { withApp } from '../../bin/command.ts';
import { runCommand } from '../../bin/commands/run.ts';
import pjson from '../../package.json' with { type: 'json' };
import { type Outcome, project } from '../bin/cli.ts';
import { app } from './app.ts';

type ConcreteCommand = new (argv: string[], config: Config) => Command;

const config = Config.load({ root: project, pjson: pjson as never });
const Run = withApp(app, runCommand(app));

/** Runs one command at a time, because exit code, standard output and environment belong to this process. */
export async function joinRun(args: readonly string[], variables: Record<string, string> = {}): Promise<Outcome> {
  const environment: Record<string, string> = { ...variables, NODE_ENV: 'production' };
  const written = { stdout: '', stderr: '' };
  const { log } = console; // oclif prints through console.log
  console.log = (text = '') => {
    written.stdout += `${text}\n`;
  };
  const restore = [
    () => Object.assign(console, { log }),
    ...(['stdout', 'stderr'] as const).map((name) => {
      const { write } = process[name];
      process[name].write = ((text: string) => {
        written[name] += text;
        return true;
      }) as typeof write;
      return () => Object.assign(process[name], { write });
    }),
    () => {
      for (const name of Object.keys(variables)) delete process.env[name];
      process.env.NODE_ENV = 'test';
    },
  ];
  Object.assign(process.env, environment);
  try {
    const command = new (Run as unknown as ConcreteCommand)([...args], await config);
    await (command as unknown as { _run(): Promise<void> })._run();
    return { code: Number(process.exitCode ?? 0), ...written };
  } finally {
    process.exitCode = undefined;
    for (const undo of restore) undo();
  }
}
