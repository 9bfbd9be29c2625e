/** What `--output` promises even if a command fails before its run begins. */
import { hostname } from 'node:os';
import { eventError } from '../../engine/run/error-record.ts';
import type { RunEvent } from '../../engine/sdk/index.ts';
import type { OutputFormat } from '../inputs/raw-flags.ts';
import type { HintText } from './continuation.ts';
import { documentText } from './document.ts';
import { withoutTokens } from './error.ts';
import { failureDocument } from './json.ts';

/** The failure as a document, or as the only event of a run that did not begin. Undefined for text. */
export async function failureText(error: unknown, output: OutputFormat, hint: HintText): Promise<string | undefined> {
  if (output === 'text') return undefined;
  const document = output === 'jsonl' ? failureEvent(error, hint) : failureDocument(error, hint);
  return withoutTokens(await documentText(document, output));
}

function failureEvent(error: unknown, hint: HintText): RunEvent {
  const about = eventError(error);
  return {
    apiVersion: 'joinery.dev/v1',
    kind: 'Event',
    seq: 1,
    at: new Date().toISOString(),
    run: 'unrecorded',
    machine: hostname(),
    pipeline: '',
    type: 'run.ended',
    status: 'failed',
    durationMs: 0,
    changes: { made: 0, undone: 0, kept: 0 },
    error: { ...about, hint: hint(about.hint) },
  };
}
