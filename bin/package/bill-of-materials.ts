/** The CycloneDX bill of materials: Node, and the packages that the bundles contain. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pjson from '../../package.json' with { type: 'json' };
import { NODE_VERSION } from './fetch.ts';

interface Component {
  name: string;
  version: string;
  [field: string]: unknown;
}

/** `root` is the checkout, with a build in dist/. `epochSeconds` is the time of the release. */
export function billOfMaterials(root: string, epochSeconds: number): string {
  const npm = ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'];
  const document = JSON.parse(execFileSync('npm', npm, { cwd: root, encoding: 'utf8', maxBuffer: 64 << 20 }));
  const bundled = JSON.parse(readFileSync(join(root, 'dist/packages.json'), 'utf8')) as Component[];
  const keys = new Set(bundled.map(({ name, version }) => `${name}@${version}`));
  const components = (document.components as Component[]).filter(({ name, version }) =>
    keys.delete(`${name}@${version}`),
  );
  if (keys.size > 0) throw new Error(`package-lock.json does not name ${[...keys].join(', ')}`);
  const node = {
    'bom-ref': `node@${NODE_VERSION}`,
    type: 'application',
    name: 'node',
    version: NODE_VERSION,
    purl: `pkg:generic/node@${NODE_VERSION}`,
    cpe: `cpe:2.3:a:nodejs:node.js:${NODE_VERSION}:*:*:*:*:*:*:*`,
    licenses: [{ license: { id: 'MIT' } }],
  };
  const { $schema, bomFormat, specVersion, version, metadata } = document;
  const bom = {
    $schema,
    bomFormat,
    specVersion,
    version,
    metadata: {
      timestamp: new Date(epochSeconds * 1000).toISOString(),
      component: { ...metadata.component, type: 'application', name: pjson.name },
    },
    // All are part of the executable, whatever npm thinks of development and run time.
    components: [node, ...components.map(({ properties: _, ...component }) => ({ ...component, scope: 'required' }))],
  };
  return `${JSON.stringify(bom, null, 2)}\n`;
}
