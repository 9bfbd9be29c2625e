/** A guide, followed to the letter: files are written as it shows them, and what it types is typed. */
import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export interface Step {
  /** Of a file to write: what stands in a line of its own before its content. Undefined where something is typed. */
  path: string | undefined;
  text: string;
}

export const stepsOf = (guide: string): Step[] =>
  [...guide.matchAll(/(?:^`([^`\n]+)`:\n\n)?^```(\w+)\n([\s\S]*?)^```$/gm)].flatMap(([, path, language, text = '']) =>
    path !== undefined || language === 'sh' ? [{ path, text }] : [],
  );

/** Starts in the folder `home`. Returns the standard output. Throws if a command fails. */
export async function follow(steps: readonly Step[], home: string, env: NodeJS.ProcessEnv): Promise<string> {
  let at = home;
  let said = '';
  for (const { path, text } of steps) {
    if (path !== undefined) {
      await mkdir(dirname(join(at, path)), { recursive: true });
      await writeFile(join(at, path), text);
      continue;
    }
    const out = execFileSync('bash', ['-euo', 'pipefail', '-c', `${text}\necho "at:$PWD"`], {
      cwd: at,
      env,
      encoding: 'utf8' as const,
      stdio: ['ignore', 'pipe', 'pipe'] as const,
    });
    said += out;
    at = /^at:(.*)$/m.exec(out)?.[1] ?? at;
  }
  return said;
}
