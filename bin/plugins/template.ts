/** The files that `join plugin new` creates: a plugin with one phase, its schema, its test and its README. */

export interface Template {
  /** Name of the plugin and of its phase. */
  name: string;
  language: 'typescript' | 'javascript';
  /** Joinery's version, and the npm specifier of its package. */
  version: string;
  joinery: string;
  /** Versions of TypeScript and @types/node. */
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
    [isTyped ? 'src/index.ts' : 'index.js']: isTyped ? typescriptModule(name) : javascriptModule(name),
    [isTyped ? 'src/schema.ts' : 'schema.js']: schema(template),
    [`test/${name}.test.js`]: testModule(name),
    'README.md': readme(template),
    '.gitignore': `node_modules/\n${isTyped ? 'dist/\n' : ''}`,
  };
}

function packageJson({ name, language, version, joinery, typescript, nodeTypes }: Template): string {
  const isTyped = language === 'typescript';
  const text = {
    name,
    version: '0.1.0',
    description: `A Joinery plugin: writes /etc/${name}.conf`,
    type: 'module',
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
      target: 'es2023',
      module: 'nodenext',
      rootDir: 'src',
      outDir: 'dist',
      strict: true,
      verbatimModuleSyntax: true,
      skipLibCheck: true,
      types: ['node'],
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
        // Everything the phase may do: the ports refuse anything else. The manifest repeats it for users.
        effects: [sdk.writes('/etc/${name}.conf', 0o644, 'the text')],
        async run({ files }, { text }) {
          await files.write('/etc/${name}.conf', \`\${text}\\n\`, 0o644);
          return { path: '/etc/${name}.conf' };
        },
      }),
    ],
  })`;

const typescriptModule = (
  name: string,
): string => `/** The plugin: it gets Joinery's SDK as an argument, and imports only types. */
import type { PluginFactory, Sdk } from '@joinery/cli/sdk';
import { input, output } from './schema.js';

export default ((sdk) =>
  ${phase(name)}) satisfies PluginFactory<Sdk>;
`;

const javascriptModule = (
  name: string,
): string => `/** The plugin: it gets Joinery's SDK as an argument, and does not import it. */
import { input, output } from './schema.js';

/** @type {import('@joinery/cli/sdk').PluginFactory<import('@joinery/cli/sdk').Sdk>} */
export default (sdk) =>
  ${phase(name)};
`;

function schema({ name, language }: Template): string {
  const constant = (of: string): string =>
    language === 'typescript' ? `${of} as const` : `/** @type {const} */ (${of})`;
  return `/** Inputs and outputs of ${name} as JSON Schema: the source of its types, flags and help. */
export const input = ${constant(`{
  type: 'object',
  required: ['text'],
  properties: {
    text: { type: 'string', minLength: 1, description: 'Text of the file' },
  },
}`)};

export const output = ${constant(`{
  type: 'object',
  required: ['path'],
  properties: {
    path: { type: 'string', description: 'Path of the file' },
  },
}`)};
`;
}

const testModule = (name: string): string => `import assert from 'node:assert/strict';
import test from 'node:test';
import { itKeepsThePhaseContract, memoryHost, pluginIn, runPhase } from '@joinery/cli/testing';

const plugin = await pluginIn(new URL('..', import.meta.url));
const phase = plugin.phase('${name}');
const machine = () => ({ directories: ['/etc'] });

// The contract of every phase: its dry run is accurate, it declares its effects, a second run changes nothing,
// it can be undone after any failure or kill, and it prints no secret.
itKeepsThePhaseContract(phase, { input: { text: 'hello' }, machine, secrets: [] }, test);

test('${name} writes the text to its file', async () => {
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
npm install && npm test                       # the contract of every phase, and the test of this one
join plugin check .                           # manifest, files and code
mkdir -p machine && join phase ${name} --plugin . --text hello --root machine --dry-run
\`\`\`

Load it in a pipeline (\`plugins: [./${name}]\`, relative to the file of the pipeline), on a machine
(\`/etc/joinery/plugins/${name}\`) or for one command (\`--plugin DIR\`):

\`\`\`yaml
  - id: ${name}
    uses: ${name}
    with: { text: hello }
\`\`\`
${joinery.startsWith('file:') ? LOCAL_JOINERY : ''}`;

const LOCAL_JOINERY = `
\`@joinery/cli\` in \`package.json\` is the Joinery of the machine where this plugin was created. Only tests need it.
`;
