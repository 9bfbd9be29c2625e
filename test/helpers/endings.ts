/** Ends what a test starts. Not with hooks of a module: they would count only for the first file that imports it. */
import { onTestFinished, TestRunner } from 'vitest';

type End = () => unknown;
const endsOfFile: End[] = [];

/** Calls `end` after the current test; in a hook for several tests, after the last test of the file. */
export function atEnd(end: End): void {
  if (TestRunner.getCurrentTest() === undefined) endsOfFile.push(end);
  else onTestFinished(async () => void (await end()));
}

/** For `test/setup.ts`, which runs in each file. */
export async function endFile(): Promise<void> {
  for (const end of endsOfFile.splice(0).reverse()) await end();
}
