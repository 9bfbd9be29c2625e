// Writes the licenses of the packages in the bundles (dist/THIRD-PARTY-NOTICES) and their list (dist/packages.json).
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** The folders of the packages to which the bundled `files` belong, sorted. Paths are relative to the checkout. */
export const packageFolders = (files) => {
  const folders = [...files].map((file) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0]);
  return [...new Set(folders.filter((folder) => folder !== undefined))].sort();
};

export function writeNotices(root, folders) {
  const packages = folders.map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(path.join(root, folder, 'package.json'), 'utf8'));
    return { name, version, license, text: licenseText(path.join(root, folder), license) };
  });
  const list = packages.map(({ name, version }) => ({ name, version }));
  writeFileSync(path.join(root, 'dist/packages.json'), `${JSON.stringify(list, null, 2)}\n`);
  const sections = packages.map(({ name, version, license, text }) => `${name} ${version} (${license})\n\n${text}\n`);
  const head = 'Joinery contains these packages.\n';
  writeFileSync(path.join(root, 'dist/THIRD-PARTY-NOTICES'), [head, ...sections].join(`\n${'-'.repeat(80)}\n\n`));
}

/** The license file, or the section of the README. Fails if there is neither, except for Apache-2.0. */
function licenseText(folder, license) {
  const textOf = (pattern) => {
    const file = readdirSync(folder).find((each) => pattern.test(each));
    return file === undefined ? undefined : readFileSync(path.join(folder, file), 'utf8');
  };
  const section = /^#+ licen[cs]e\s*$([\s\S]*?)(?=^#|$(?![\s\S]))/im.exec(textOf(/^readme/i) ?? '')?.[1];
  const text = textOf(/^licen[cs]e/i) ?? section;
  if (text !== undefined) return text.trim();
  if (license.includes('Apache-2.0')) return 'The text of Apache-2.0 is in the LICENSE of Joinery.';
  throw new Error(`${folder} has no license text`);
}
