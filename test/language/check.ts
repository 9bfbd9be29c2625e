/**
 * `npx tsx test/language/check.ts` fails if a folder has more findings than limits.json still allows.
 * With folders or files as arguments it prints every finding in them; with `--lower` it lowers the limits to today's.
 */
import { findings, findingText, projectFiles } from './language.ts';
import { findingsOverLimit, lowerLimits } from './limits.ts';

const places = process.argv.slice(2);
const found = findings(projectFiles());

if (places.includes('--lower')) lowerLimits(found);
else if (places.length > 0) {
  for (const finding of found)
    if (places.some((place) => finding.path === place || finding.path.startsWith(`${place}/`)))
      console.log(findingText(finding));
} else {
  const over = findingsOverLimit(found);
  for (const finding of over) console.error(findingText(finding));
  process.exitCode = over.length > 0 ? 1 : 0;
}
