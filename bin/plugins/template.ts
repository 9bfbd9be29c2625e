/** What `join plugin new` writes: a plugin with one phase, its schema, its test and its README. */

export interface Template {
  /** Of the plugin, and of its phase. */
  name: string;
  language: 'typescript' | 'javascript';
  /** Joinery's version, and what its package is to be found by. */
  version: string;
  joinery: string;
  /** Versions of what TypeScript needs. */
  typescript: string;
  nodeTypes: string;
}

/** Path → content. */
export function pluginTemplate(template: Template): Record<string, string> {
  const { name, language } = template;
  const isTyped = language === 'typescript';
  return {
    'package.json': packageJson(template),
    ...(isTyped ? { 'tsconfig.json': TSCONFIG } : {}),
    [isTyped ? 'src/index.ts' : 'index.js']: isTyped ? typedModule(name) : plainModule(name),
    [isTyped ? 'src/schema.ts' : 'schema.js']: schema(name, isTyped),
    [`test/${name}.test.js`]: testOf(name),
    'README.md': readme(template),
    '.gitignore': `node_modules/\n${isTyped ? 'dist/\n' : ''}`,
  };
}

function packageJson({ name, language, version, joinery, typescript, nodeTypes }: Template): string {
  const isTyped = language === 'typescript';
  const text = {
    ...{ name, version: '0.1.0', description: `A Joinery plugin: writes /etc/${name}.conf`, type: 'module' },
    files: isTyped ? ['dist'] : ['index.js', 'schema.js'],
    scripts: isTyped ? { test: 'tsc && node --test', prepack: 'tsc' } : { test: 'node --test' },
    joinery: {
      engine: `^${version}`,
      main: isTyped ? 'dist/index.js' : 'index.js',
      phases: [name],
      effects: { paths: [`/etc/${name}.conf`] },
    },
    devDependencies: {
      '@joinery/cli': joinery,
      ...(isTyped ? { '@types/node': nodeTypes, typescript } : {}),
    },
  };
  return `${JSON.stringify(text, null, 2)}\n`;
}

const TSCONFIG = `${JSON.stringify(
  {
    compilerOptions: {
      ...{ target: 'es2023', module: 'nodenext', rootDir: 'src', outDir: 'dist' },
      ...{ strict: true, verbatimModuleSyntax: true, skipLibCheck: true, types: ['node'] },
    },
    include: ['src'],
  },
  null,
  2,
)}\n`;

const phase = (name: string): string => `sdk.definePlugin({
    phases: [
      sdk.definePhase({
        name: '${name}',
        summary: 'Write /etc/${name}.conf',
        input,
        output,
        // All that it may do: a port refuses anything else. The manifest in package.json says it once more, for who installs it.
        effects: [sdk.writes('/etc/${name}.conf', 0o644, 'what it is told')],
        async run({ files }, { text }) {
          await files.write('/etc/${name}.conf', \`\${text}\\n\`, 0o644);
          return { path: '/etc/${name}.conf' };
        },
      }),
    ],
  })`;

const typedModule = (name: string): string => `/** The plugin: it is handed Joinery's SDK, and imports types only. */
import type { PluginFactory } from '@joinery/cli/sdk';
import { input, output } from './schema.js';

export default ((sdk) =>
  ${phase(name)}) satisfies PluginFactory;
`;

const plainModule = (name: string): string => `/** The plugin: it is handed Joinery's SDK, and imports nothing of it. */
import { input, output } from './schema.js';

/** @type {import('@joinery/cli/sdk').PluginFactory} */
export default (sdk) =>
  ${phase(name)};
`;

function schema(name: string, isTyped: boolean): string {
  const constant = (of: string): string => (isTyped ? `${of} as const` : `/** @type {const} */ (${of})`);
  return `/** What ${name} is given and what it gives, as JSON Schema: types, flags and help come from here. */
export const input = ${constant(`{
  type: 'object',
  required: ['text'],
  properties: {
    text: { type: 'string', minLength: 1, description: 'What the file is to say' },
  },
}`)};

export const output = ${constant(`{
  type: 'object',
  required: ['path'],
  properties: {
    path: { type: 'string', description: 'Where it was written' },
  },
}`)};
`;
}

const testOf = (name: string): string => `import assert from 'node:assert/strict';
import test from 'node:test';
import { itKeepsThePhaseContract, memoryHost, pluginIn, runPhase } from '@joinery/cli/testing';

const plugin = await pluginIn(new URL('..', import.meta.url));
const phase = plugin.phase('${name}');
const machine = () => ({ directories: ['/etc'] });

// What every phase promises: it does what its dry run says and declares it, changes nothing the second time, is taken back
// wherever it fails or is killed, and shows no secret.
itKeepsThePhaseContract(phase, { input: { text: 'hello' }, machine, secrets: [] }, test);

test('${name} writes what it is told', async () => {
  const { error, changes } = await runPhase(phase, { text: 'hello' }, memoryHost(machine()));
  assert.equal(error, undefined);
  assert.deepEqual(changes, [
    { kind: 'file', path: '/etc/${name}.conf', action: 'create', mode: 0o644, content: 'hello\\n' },
  ]);
});
`;

const readme = ({ name, joinery }: Template): string => `# ${name}

A plugin for [Joinery](https://joinery.dev) with one phase, \`${name}\`: it writes \`/etc/${name}.conf\`.

\`\`\`sh
npm install && npm test                       # what every phase promises, and what this one does
join plugin check .                           # its manifest, its files, its code
mkdir -p machine && join phase ${name} --plugin . --text hello --root machine --dry-run
\`\`\`

In a pipeline (\`plugins: [./${name}]\`, from the pipeline's own folder), for a machine (\`/etc/joinery/plugins/${name}\`) or for one command
(\`--plugin DIR\`):

\`\`\`yaml
  - id: ${name}
    uses: ${name}
    with: { text: hello }
\`\`\`
${joinery.startsWith('file:') ? `\n\`@joinery/cli\` in \`package.json\` is the Joinery of the machine that this was made on. It is only needed for tests.\n` : ''}`;
