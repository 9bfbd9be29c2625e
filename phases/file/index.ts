/** A file as it is to be, or its absence. */
import { definePhase, type Files, fail, isSecret, Secret, writes } from '../../engine/sdk/index.ts';
import { ownerNamed } from './owner.ts';
import { input, output } from './schema.ts';

export default definePhase({
  name: 'file',
  summary: 'Write a file, or remove it',
  input,
  output,
  effects: [writes('{path}', undefined, 'the file')],

  async run({ files }, { path, absent, owner: wanted, values, ...given }) {
    const there = await files.stat(path);
    const problems: string[] = [];
    const contents = [given.content, given.secretContent, given.template].filter((content) => content !== undefined);
    if (contents.length !== (absent ? 0 : 1))
      problems.push(absent ? 'absent leaves no content' : 'one of content, secretContent and template must be given');
    const mode = Number.parseInt(given.mode, 8);
    if (given.secretContent !== undefined && (mode & 0o007) !== 0)
      problems.push(`secretContent must not be readable by everybody: mode is ${given.mode}`);
    const owner = wanted === undefined ? undefined : await ownerNamed(files, wanted);
    if (wanted !== undefined && owner === undefined) problems.push(`this machine knows no ${wanted}`);
    const content = absent ? '' : await contentOf(files, given, values, problems);
    if (problems.length > 0) throw fail('E_PHASE_INPUT', { phase: 'file', problems });

    if (absent) {
      await files.remove(path);
      return { changed: there !== undefined };
    }
    const text = isSecret(content) ? content.reveal() : content;
    const isOwned = owner === undefined || (there?.uid === owner.uid && there?.gid === owner.gid);
    const isAs = there?.kind === 'file' && there.mode === mode && isOwned;
    const changed = !isAs || (await files.read(path))?.equals(Buffer.from(text)) !== true;
    await files.write(path, content, mode, owner);
    return { changed };
  },
});

/** Its text with every {{ name }} filled in; what has no value is told. */
async function contentOf(
  files: Files,
  { content, secretContent, template }: { content?: string; secretContent?: Secret; template?: string },
  values: Record<string, string> | undefined,
  problems: string[],
): Promise<string | Secret> {
  const raw = template === undefined ? (secretContent?.reveal() ?? content) : (await files.read(template))?.toString();
  if (raw === undefined && template !== undefined) problems.push(`there is no ${template}`);
  if (raw === undefined) return '';
  const filled =
    values === undefined
      ? raw
      : raw.replace(/\{\{ *([\w.-]+) *\}\}/g, (_, name: string) => {
          if (!Object.hasOwn(values, name)) problems.push(`values say nothing of {{ ${name} }}`);
          return values[name] ?? '';
        });
  return secretContent === undefined ? filled : new Secret(filled);
}
