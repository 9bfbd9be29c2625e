/** Writes a file with the given content, mode and owner, or removes it. */
import { definePhase, type Files, fail, isSecret, Secret, writes } from '../../engine/sdk/index.ts';
import { ownerNamed } from './owner.ts';
import { input, output } from './schema.ts';

export default definePhase({
  name: 'file',
  summary: 'Write or remove a file',
  input,
  output,
  effects: [writes('{path}', undefined, 'the file')],

  async run({ files }, { path, absent, owner: ownerName, values, ...inputs }) {
    const there = await files.stat(path);
    const problems: string[] = [];
    const mode = Number.parseInt(inputs.mode, 8);
    if (inputs.secretContent !== undefined && (mode & 0o007) !== 0)
      problems.push(`secretContent must not be readable by all users, but mode is ${inputs.mode}`);
    const owner = ownerName === undefined ? undefined : await ownerNamed(files, ownerName);
    if (ownerName !== undefined && owner === undefined)
      problems.push(`there is no user or group ${ownerName} on this machine`);
    const content = absent ? '' : await contentOf(files, inputs, values, problems);
    if (problems.length > 0) throw fail('E_PHASE_INPUT', { phase: 'file', problems });

    if (absent) {
      await files.remove(path);
      return { changed: there !== undefined };
    }
    const text = isSecret(content) ? content.reveal() : content;
    const isOwned = owner === undefined || (there?.uid === owner.uid && there?.gid === owner.gid);
    const isUnchanged = there?.kind === 'file' && there.mode === mode && isOwned;
    const changed = !isUnchanged || (await files.read(path))?.equals(Buffer.from(text)) !== true;
    await files.write(path, content, mode, owner);
    return { changed };
  },
});

/** The file's text with every {{ name }} replaced. A name without a value is added to `problems`. */
async function contentOf(
  files: Files,
  { content, secretContent, template }: { content?: string; secretContent?: Secret; template?: string },
  values: Record<string, string> | undefined,
  problems: string[],
): Promise<string | Secret> {
  const raw = template === undefined ? (secretContent?.reveal() ?? content) : (await files.read(template))?.toString();
  if (raw === undefined && template !== undefined) problems.push(`the template ${template} does not exist`);
  if (raw === undefined) return '';
  const filled =
    values === undefined
      ? raw
      : raw.replace(/\{\{ *([\w.-]+) *\}\}/g, (_, name: string) => {
          if (!Object.hasOwn(values, name)) problems.push(`values has no value for {{ ${name} }}`);
          return values[name] ?? '';
        });
  return secretContent === undefined ? filled : new Secret(filled);
}
