/** `npx tsx test/language/check.ts [folder or file …]` prints all findings, and fails if there are any. */
import { findings, findingText, projectFiles } from './language.ts';

const places = process.argv.slice(2);
const isListed = (path: string): boolean =>
  places.length === 0 || places.some((place) => path === place || path.startsWith(`${place}/`));

const listed = findings(projectFiles().filter(({ path }) => isListed(path)));
for (const finding of listed) console.error(findingText(finding));
process.exitCode = listed.length > 0 ? 1 : 0;
