/** Every command in a hint can be pasted as it stands: it exists, and the parser of the command line accepts it. */
import { execFileSync } from 'node:child_process';
import { Parser } from '@oclif/core';
import { expect, test } from 'vitest';
import { allCommands } from '../../bin/main.ts';
import { afterResume, afterRun, ofHistory } from '../../bin/render/continuation.ts';
import { Invocation, programName } from '../../bin/render/invocation.ts';
import type { RunResult } from '../../engine/run/run.ts';
import { sampleErrors } from '../engine/sdk/error-samples.ts';
import { app } from '../helpers/app.ts';
import { scratch } from '../helpers/machine.ts';

const commands = allCommands(app);
const RUN = '20261124-100000-0000';
const result = (status: RunResult['status'], isUndone = false): RunResult => ({
  id: RUN,
  pipeline: 'p',
  status,
  isUndone,
  durationMs: 1,
  steps: [],
  changes: { made: 2, undone: 0, kept: 0 },
});

/** The words of each line, as the shell separates them; by one shell, because a process is slow to start here. */
function wordsOf(lines: readonly string[]): string[][] {
  const script = lines.map((line) => `printf '%s\\0' ${line}; printf '\\n'`).join('\n');
  const printed = execFileSync('bash', ['-c', script]).toString().split('\0\n').slice(0, -1);
  return printed.map((words) => words.split('\0'));
}

/** The commands of Joinery in a hint, each to the end of its line. */
const joinCommands = (hint: string): string[] =>
  [...hint.matchAll(/'bin\/it join' (.*)$/gm)].map(([, rest]) => `${rest}`);

/** `join help` prints the help of the command that follows, or of all. */
const commandIn = (line: string): string => line.replace(/ (> FILE|--help)$/, '').replace(/^help ?/, '');

/** Throws if the command does not exist, or does not take these flags and arguments. */
async function parse(line: string, words: readonly string[]): Promise<void> {
  if (line === 'help') return;
  if (/[.,;:]$/.test(line)) throw new Error(`would be pasted with punctuation: ${line}`);
  const length = [3, 2, 1].find((count) => Object.hasOwn(commands, words.slice(0, count).join(':')));
  const command = commands[words.slice(0, length).join(':')];
  if (length === undefined || command === undefined) throw new Error(`there is no command ${line}`);
  const { flags = {}, args = {} } = command;
  await Parser.parse(words.slice(length), { flags, args, strict: true });
}

const invocation = new Invocation({
  program: '/opt/bin/it join',
  argv: ['run', '--root', '/tmp/a b', '--kubeconfig', 'k'],
});
const hint = (text: string): string => invocation.hint(text).replaceAll("'/opt/bin/it join'", "'bin/it join'");

test('every command of the error catalogue is accepted by the parser, whatever became of its run', async () => {
  const fits = [(text: string) => text, afterRun(result('failed')), afterResume(result('failed', true))];
  const lines = sampleErrors.flatMap(({ code, message, hint: next }) =>
    fits.flatMap((fitted) => joinCommands(hint(fitted(`${message}\n${next}`))).map((line) => ({ code, line }))),
  );
  const words = wordsOf(lines.map(({ line }) => commandIn(line)));
  const rejected: string[] = [];
  for (const [index, { code, line }] of lines.entries())
    await parse(line, words[index] ?? []).catch((reason: Error) =>
      rejected.push(`${code}: ${line}: ${reason.message}`),
    );
  expect(rejected).toEqual([]);
  expect(words).toHaveLength(lines.length);
  expect(lines.length).toBeGreaterThan(60);
});

test('hints have the name of the program and the flags that say which machine or cluster', () => {
  expect(hint('To list the runs: join runs')).toBe("To list the runs: 'bin/it join' runs --root '/tmp/a b'");
  expect(hint('To list: join token list')).toBe("To list: 'bin/it join' token list --kubeconfig k");
  expect(hint('To store them: join certs upload')).toBe("To store them: 'bin/it join' certs upload --kubeconfig k");
  expect(hint('To list the phases: join phase')).toBe("To list the phases: 'bin/it join' phase");
  expect(hint('Use: kubeadm join reset')).toBe('Use: kubeadm join reset');
  expect(new Invocation().hint(`run: join resume ${RUN}`)).toBe(`run: join resume ${RUN}`);
});

test('the program has the name by which a shell finds it', async () => {
  const folder = await scratch();
  execFileSync('bash', ['-c', 'mkdir bin other && touch bin/joinery bin/join other/join && chmod +x */*'], {
    cwd: folder,
  });
  const name = (program: string, environment: Record<string, string>) =>
    programName(`${folder}/${program}`, { cwd: folder, environment });
  expect(name('bin/joinery', { PATH: `/usr/bin:${folder}/bin` })).toBe('joinery');
  expect(name('bin/join', { PATH: `${folder}/other:${folder}/bin` })).toBe('bin/join'); // that of coreutils comes first
  expect(name('bin/join', { PATH: '/usr/bin' })).toBe('bin/join');
  expect(programName('/opt/join/bin/join', { cwd: folder, environment: { PATH: '' } })).toBe('/opt/join/bin/join');
  expect(programName(`${folder}/bin/join`, { cwd: `${folder}/bin`, environment: {} })).toBe('./join');
  expect(name('bin/join', { PATH: `${folder}/bin`, npm_command: 'exec' })).toBe('join');
  const npm = `${folder}/node_modules/.bin`;
  expect(programName(`${npm}/join`, { cwd: folder, environment: { PATH: npm, npm_command: 'exec' } })).toBe('npx join');
  expect(programName(`${npm}/join`, { cwd: folder, environment: { PATH: npm, npm_command: 'run-script' } })).toBe(
    'node_modules/.bin/join',
  );
});

test('a hint resumes a run that is unfinished, and starts a new one after an undo', () => {
  const again = 'When it is ready, run the same command again.';
  expect(afterRun(result('failed'))(again)).toBe(`When it is ready, run: join resume ${RUN}`);
  expect(afterRun(result('cancelled', true))(again)).toBe(again);
  expect(afterResume(result('cancelled', true))(again)).toBe('When it is ready, start a new run.');
  const history = { start: { id: RUN }, status: 'undone' } as Parameters<typeof ofHistory>[0];
  expect(ofHistory(history)(again)).toBe('When it is ready, start a new run.');
  expect(ofHistory({ ...history, status: 'failed' })(again)).toBe(`When it is ready, run: join resume ${RUN}`);
  for (const error of sampleErrors)
    if (!/E_RUN_|E_JOURNAL_/.test(error.code))
      expect(afterRun(result('failed', true))(error.hint), error.code).not.toMatch(/\bjoin resume\b/);
});
