/** Pipelines and environments that are wrong, and all that is said of each: `line:column: message (rule)`, with the file where it is not the pipeline. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: a hole of a pipeline is written like a JavaScript template

export interface Broken {
  what: string;
  /** Below the head; the steps of `SOUND` where it is left out. */
  pipeline?: string;
  /** Below the head of an environment. */
  environment?: string;
  /** In the place of the whole text. */
  whole?: string;
  problems: readonly string[];
}

/** Lines 1 to 3. */
export const PIPELINE_HEAD = 'apiVersion: joinery.dev/v1\nkind: Pipeline\nmetadata: { name: made }\n';
export const ENVIRONMENT_HEAD = 'apiVersion: joinery.dev/v1\nkind: Environment\nmetadata: { name: site }\n';

export const SOUND = `inputs:
  type: object
  properties:
    endpoint: { type: string }
    token: { type: string, writeOnly: true }
    wait: { enum: [started, ready], default: started }
    count: { type: integer }
steps:
  - { id: look, uses: command, with: { argv: [/bin/true], query: true } }
  - { id: note, uses: file, with: { path: /etc/note, content: "\${{ steps.look.outputs.stdout }}" } }
`;

const inputs =
  'inputs: { type: object, properties: { endpoint: { type: string }, token: { type: string, writeOnly: true }, count: { type: integer }, on: { type: boolean } } }\n';
const look = '  - { id: look, uses: command, with: { argv: [/bin/true], query: true } }\n';

export const brokenPipelines: readonly Broken[] = [
  { what: 'nothing at all', whole: '', problems: ['1:1: must be an object (shape)'] },
  { what: 'a list', whole: '- a\n', problems: ['1:1: must be an object (shape)'] },
  {
    what: 'text that is no YAML',
    pipeline: 'steps: [a, b\nmetadata: }\n',
    problems: [
      '5:1: Flow sequence in block collection must be sufficiently indented and end with a ] (yaml)',
      '5:11: Unexpected flow-map-end token in YAML stream: "}" (yaml)',
    ],
  },
  {
    what: 'a tab as indentation',
    pipeline: 'steps:\n\t- id: a\n',
    problems: ['5:1: Tabs are not allowed as indentation (yaml)'],
  },
  {
    what: 'a key that is there twice',
    pipeline: `steps:\n${look}steps: []\n`,
    problems: ['6:1: Map keys must be unique (yaml)'],
  },
  {
    what: 'an alias without an anchor',
    pipeline: 'steps: *none\n',
    problems: ['4:8: there is no anchor none before this (yaml)'],
  },
  {
    what: 'another version',
    whole:
      'apiVersion: joinery.dev/v2\nkind: Pipeline\nmetadata: { name: made }\nsteps:\n  - { id: a, uses: preflight }\n',
    problems: ['1:13: must be joinery.dev/v1 (shape)'],
  },
  {
    what: 'another kind',
    whole:
      'apiVersion: joinery.dev/v1\nkind: Pipelin\nmetadata: { name: made }\nsteps:\n  - { id: a, uses: preflight }\n',
    problems: ['2:7: must be Pipeline (shape)'],
  },
  {
    what: 'a name with capitals',
    whole:
      'apiVersion: joinery.dev/v1\nkind: Pipeline\nmetadata: { name: Made }\nsteps:\n  - { id: a, uses: preflight }\n',
    problems: ['3:19: has the wrong form "Made": it must contain only lower-case letters, digits and dashes (shape)'],
  },
  { what: 'no steps', pipeline: 'defaults: {}\n', problems: ['1:1: steps is missing (shape)'] },
  { what: 'an empty list of steps', pipeline: 'steps: []\n', problems: ['4:8: must have at least 1 item (shape)'] },
  {
    what: 'steps that are a mapping',
    pipeline: 'steps:\n  look: { uses: command }\n',
    problems: ['5:3: must be an array (shape)'],
  },
  {
    what: 'an unknown key of the pipeline',
    pipeline: `stepz: []\nsteps:\n${look}`,
    problems: ['4:1: unknown key stepz; did you mean steps? (unknown-key)'],
  },
  {
    what: 'an unknown key of a step',
    pipeline: 'steps:\n  - id: look\n    uses: command\n    wiht: { argv: [/bin/true] }\n',
    problems: ['7:5: unknown key wiht (unknown-key)'],
  },
  { what: 'a step without an id', pipeline: 'steps:\n  - uses: command\n', problems: ['5:5: id is missing (shape)'] },
  {
    what: 'a step without a phase',
    pipeline: 'steps:\n  - id: look\n',
    problems: ['5:5: a step needs either uses or approval (shape)'],
  },
  {
    what: 'a time that is none',
    pipeline:
      'steps:\n  - id: look\n    uses: command\n    timeout: 5 minutes\n    with: { argv: [/bin/true], query: true }\n',
    problems: [
      '7:14: has the wrong form "5 minutes": it must be a duration such as 30s or 1h30m, or ${{ inputs.x }} (shape)',
    ],
  },
  {
    what: 'retries that are text',
    pipeline:
      'steps:\n  - id: look\n    uses: command\n    retry: { attempts: many, initial: 1s }\n    with: { argv: [/bin/true], query: true }\n',
    problems: ['7:24: must be an integer (shape)'],
  },
  {
    what: 'no tries at all',
    pipeline: `defaults: { retry: { attempts: 0 } }\nsteps:\n${look}`,
    problems: ['4:32: must be >= 1 (shape)'],
  },
  {
    what: 'needs that are text',
    pipeline: `steps:\n${look}  - { id: next, uses: preflight, needs: look }\n`,
    problems: ['6:41: must be an array (shape)'],
  },
  {
    what: 'an unknown phase',
    pipeline: 'steps:\n  - id: look\n    uses: comand\n',
    problems: ['6:11: there is no phase comand; did you mean command? (unknown-phase)'],
  },
  {
    what: 'an unknown phase that resembles none',
    pipeline: 'steps:\n  - id: look\n    uses: qwertyuiop\n',
    problems: ['6:11: there is no phase qwertyuiop; join phase lists the phases (unknown-phase)'],
  },
  {
    what: 'an unknown phase among several',
    pipeline:
      'steps:\n  - id: look\n    uses:\n      - { phase: discovery-fil, if: "host.privileged" }\n      - { phase: discovery-token }\n',
    problems: [
      '5:5: phase discovery-token needs the input endpoint (missing-input)',
      '7:18: there is no phase discovery-fil; did you mean discovery-file? (unknown-phase)',
    ],
  },
  {
    what: 'phases with other outputs',
    pipeline:
      'steps:\n  - id: look\n    uses:\n      - { phase: preflight, if: "host.privileged" }\n      - { phase: kubelet-version }\n',
    problems: [
      '5:5: phase preflight needs the input nodeName (missing-input)',
      '5:5: phase preflight needs the input privileged (missing-input)',
      '7:7: phases kubelet-version and preflight have different outputs, so a step cannot use either of them (outputs-differ)',
    ],
  },
  {
    what: 'two steps of one id',
    pipeline: `steps:\n${look}${look}`,
    problems: ['6:11: two steps have the id look (double-id)'],
  },
  {
    what: 'a need that there is not',
    pipeline: `steps:\n${look}  - { id: next, uses: kubelet-version, needs: [lok] }\n`,
    problems: ['6:48: there is no step lok; did you mean look? (unknown-step)'],
  },
  {
    what: 'a step that needs itself',
    pipeline: 'steps:\n  - { id: a, uses: kubelet-version, needs: [a] }\n',
    problems: ['5:44: these steps need each other: a → a (cycle)'],
  },
  {
    what: 'steps that wait for each other',
    pipeline:
      'steps:\n  - { id: a, uses: kubelet-version, needs: [c] }\n  - { id: b, uses: kubelet-version }\n  - { id: c, uses: kubelet-version }\n',
    problems: ['5:44: these steps need each other: a → c → b → a (cycle)'],
  },
  {
    what: 'an input that the phase has not',
    pipeline:
      'steps:\n  - id: look\n    uses: command\n    with:\n      argv: [/bin/true]\n      qery: true\n      query: true\n',
    problems: ['9:7: phase command has no input qery; did you mean query? (unknown-input)'],
  },
  {
    what: 'an input that is missing',
    pipeline: 'steps:\n  - id: look\n    uses: command\n    with: { query: true }\n',
    problems: ['7:11: phase command needs the input argv (missing-input)'],
  },
  {
    what: 'an input that is missing, with no inputs at all',
    pipeline: 'steps:\n  - id: look\n    uses: command\n',
    problems: ['5:5: phase command needs the input argv (missing-input)'],
  },
  {
    what: 'an input of the wrong type',
    pipeline: 'steps:\n  - id: look\n    uses: command\n    with:\n      argv: /bin/true\n',
    problems: ['8:13: argv must be an array (wrong-type)'],
  },
  {
    what: 'an item of the wrong type',
    pipeline: 'steps:\n  - id: look\n    uses: command\n    with:\n      argv: [/bin/echo, 5]\n',
    problems: ['8:25: argv must be a string (wrong-type)'],
  },
  {
    what: 'a number out of bounds',
    pipeline:
      'steps:\n  - id: look\n    uses: command\n    with:\n      argv: [/bin/true]\n      timeoutSeconds: 86400\n',
    problems: ['9:23: timeoutSeconds must be <= 3600 (wrong-type)'],
  },
  {
    what: 'a path that is not absolute',
    pipeline: 'steps:\n  - { id: note, uses: file, with: { path: etc/note, content: x } }\n',
    problems: ['5:43: path has the wrong form "etc/note": it must be an absolute path (wrong-type)'],
  },
  {
    what: 'a file mode that YAML reads as a decimal number',
    pipeline: 'steps:\n  - id: note\n    uses: file\n    with: { path: /etc/note, content: x, mode: 0644 }\n',
    problems: ['7:48: YAML reads 0644 as the number 644: write "0644" (decimal-mode)'],
  },
  {
    what: 'a file mode as an octal number',
    pipeline: 'steps:\n  - id: note\n    uses: file\n    with: { path: /etc/note, content: x, mode: 0o644 }\n',
    problems: [
      '7:48: mode must be a string: it must be four octal digits in quotation marks, such as "0644" (wrong-type)',
    ],
  },
  {
    what: 'an input of the pipeline that there is not',
    pipeline: `${inputs}steps:\n  - { id: note, uses: file, with: { path: "\${{ inputs.endpint }}", content: x } }\n`,
    problems: ['6:43: there is no input endpint; did you mean endpoint? (unknown-input)'],
  },
  {
    what: 'an input of the pipeline of another type',
    pipeline: `${inputs}steps:\n  - { id: note, uses: file, with: { path: /etc/note, content: "\${{ inputs.count }}" } }\n`,
    problems: ['6:63: content must be of type string, but this expression is of type integer (wrong-type)'],
  },
  {
    what: 'a fact that no machine has',
    pipeline: 'steps:\n  - { id: note, uses: file, with: { path: /etc/note, content: "${{ host.nam }}" } }\n',
    problems: ['5:63: there is no host fact nam; did you mean name? (unknown-fact)'],
  },
  {
    what: 'a gate that there is not',
    pipeline:
      'steps:\n  - { id: note, uses: file, with: { path: /etc/note, absent: "${{ gates.DynamicKubletConfig }}" } }\n',
    problems: ['5:62: there is no feature gate DynamicKubletConfig; did you mean DynamicKubeletConfig? (unknown-gate)'],
  },
  {
    what: 'a hole that is never closed',
    pipeline: 'steps:\n  - { id: note, uses: file, with: { path: /etc/note, content: "${{ host.name" } }\n',
    problems: ['5:63: a ${{ is not closed (expression)'],
  },
  {
    what: 'a hole with nothing in it',
    pipeline: 'steps:\n  - { id: note, uses: file, with: { path: /etc/note, content: "${{ }}" } }\n',
    problems: ['5:63: ${{  }}: Unexpected token: EOF (expression)'],
  },
  {
    what: 'an expression that cannot be parsed',
    pipeline: 'steps:\n  - { id: note, uses: file, with: { path: /etc/note, content: "${{ host.name + }}" } }\n',
    problems: ['5:63: ${{ host.name + }}: Unexpected token: EOF (expression)'],
  },
  {
    what: 'an expression of things that do not go together',
    pipeline: `${inputs}steps:\n  - { id: note, uses: file, with: { path: /etc/note, content: "\${{ host.name + host.privileged }}" } }\n`,
    problems: ['6:63: host.name + host.privileged: no such overload: string + bool (expression)'],
  },
  {
    what: 'an output of a step that there is not',
    pipeline: `steps:\n${look}  - { id: note, uses: file, with: { path: /etc/note, content: "\${{ steps.lok.outputs.stdout }}" } }\n`,
    problems: ['6:63: there is no step lok; did you mean look? (unknown-step)'],
  },
  {
    what: 'an output that the step has not',
    pipeline: `steps:\n${look}  - { id: note, uses: file, with: { path: /etc/note, content: "\${{ steps.look.outputs.stdot }}" } }\n`,
    problems: ['6:63: there is no output of command named stdot; did you mean stdout? (unknown-output)'],
  },
  {
    what: 'an output of a step that is not upstream',
    pipeline: `steps:\n${look}  - { id: note, uses: file, needs: [], with: { path: /etc/note, content: "\${{ steps.look.outputs.stdout }}" } }\n`,
    problems: ['6:74: step note does not run after look: add look to its needs (not-upstream)'],
  },
  {
    what: 'an output of the step itself',
    pipeline:
      'steps:\n  - { id: note, uses: file, with: { path: /etc/note, absent: "${{ steps.note.outputs.changed }}" } }\n',
    problems: ['5:62: step note cannot read its own outputs (not-upstream)'],
  },
  {
    what: 'an output of another type',
    pipeline: `steps:\n${look}  - { id: note, uses: file, with: { path: /etc/note, content: "\${{ steps.look.outputs.ran }}" } }\n`,
    problems: ['6:63: content must be of type string, but this expression is of type boolean (wrong-type)'],
  },
  {
    what: 'two steps that write one file in no certain order',
    pipeline:
      'steps:\n  - { id: a, uses: file, with: { path: /etc/note, content: x } }\n  - { id: b, uses: file, needs: [], with: { path: /etc/note, content: y } }\n',
    problems: [
      '6:11: steps a and b both write /etc/note, but their order is not defined: add one to the needs of the other (two-writers)',
    ],
  },
  {
    what: 'a secret where it would be shown',
    pipeline: `${inputs}steps:\n  - { id: note, uses: file, with: { path: /etc/note, content: "\${{ inputs.token }}" } }\n`,
    problems: ['6:63: content cannot take a secret: phase file does not mark it writeOnly (secret-shown)'],
  },
  {
    what: 'a secret within a text that would be shown',
    pipeline: `${inputs}steps:\n  - { id: note, uses: file, with: { path: /etc/note, content: "Bearer \${{ inputs.token }}" } }\n`,
    problems: ['6:63: content cannot take a secret: phase file does not mark it writeOnly (secret-shown)'],
  },
  {
    what: 'a secret on a command line',
    pipeline: `${inputs}steps:\n  - { id: look, uses: command, with: { argv: [/bin/echo, "\${{ inputs.token }}"], query: true } }\n`,
    problems: ['6:58: argv cannot take a secret: phase command does not mark it writeOnly (secret-shown)'],
  },
  {
    what: 'a secret written into the pipeline',
    pipeline: 'steps:\n  - { id: note, uses: file, with: { path: /etc/note, secretContent: hunter2 } }\n',
    problems: [
      '5:69: secretContent is a secret, and must not be written in a pipeline: pass it as an input (secret-shown)',
    ],
  },
  {
    what: 'a secret as a default',
    pipeline: `inputs:\n  type: object\n  properties:\n    token: { type: string, writeOnly: true, default: hunter2 }\nsteps:\n${look}`,
    problems: ['7:54: token is a secret, and must not be written in a pipeline: pass it as an input (secret-shown)'],
  },
  {
    what: 'a condition that is no text',
    pipeline: 'steps:\n  - { id: look, if: true, uses: kubelet-version }\n',
    problems: ['5:21: must be a string (shape)'],
  },
  {
    what: 'a condition that is no truth value',
    pipeline: 'steps:\n  - { id: look, if: host.name, uses: kubelet-version }\n',
    problems: ['5:21: a condition must be a boolean, but this expression is of type string (wrong-type)'],
  },
  {
    what: 'a condition on an input that there is not',
    pipeline: `${inputs}steps:\n  - { id: look, if: "inputs.onn", uses: kubelet-version }\n`,
    problems: ['6:21: there is no input onn; did you mean on? (unknown-input)'],
  },
  {
    what: 'a condition that never holds',
    pipeline: 'steps:\n  - { id: look, if: "false", uses: kubelet-version }\n',
    problems: ['5:21: step look never runs: its condition is always false (unreachable)'],
  },
  {
    what: 'a phase that is never chosen',
    pipeline:
      'steps:\n  - id: look\n    uses:\n      - { phase: discovery-token }\n      - { phase: discovery-file, if: host.privileged }\n    with: { endpoint: "a:1" }\n',
    problems: [
      '8:9: phase discovery-file is never used: an earlier phase is always used (unreachable)',
      '9:11: phase discovery-file needs the input discoveryFile (missing-input)',
    ],
  },
  {
    what: 'the output of a step that may be skipped',
    pipeline: `steps:\n  - { id: look, if: host.privileged, uses: kubelet-version }\n  - { id: note, uses: file, with: { path: /etc/note, content: "\${{ steps.look.outputs.kubeletVersion }}" } }\n`,
    problems: [
      '6:63: step look may be skipped: write steps.look.?outputs.kubeletVersion, or guard it with has(steps.look.outputs.kubeletVersion) (unguarded)',
    ],
  },
  {
    what: 'an input without a schema that can be used',
    pipeline: `inputs:\n  type: object\n  properties:\n    name: { type: string, pattern: "(" }\nsteps:\n${look}`,
    problems: [
      '7:11: the schema of name cannot be used: Invalid regular expression: /(/u: Unterminated group (schema)',
    ],
  },
  {
    what: 'an input of an unknown type',
    pipeline: `inputs:\n  type: object\n  properties:\n    name: { type: text }\nsteps:\n${look}`,
    problems: ['7:19: must be one of string, integer, number, boolean, array (shape)'],
  },
  {
    what: 'a default that reads an input',
    pipeline: `inputs:\n  type: object\n  properties:\n    name: { type: string, default: "\${{ inputs.other }}" }\nsteps:\n${look}`,
    problems: [
      '7:36: a default can only read host facts: host.name, host.privileged, host.architecture, host.distribution (not-upstream)',
    ],
  },
  {
    what: 'an approval without a deadline',
    pipeline: 'steps:\n  - { id: ask, approval: { message: "Go on?" } }\n',
    problems: ['5:26: deadline is missing (shape)'],
  },
  {
    what: 'an approval with a phase',
    pipeline: 'steps:\n  - { id: ask, uses: command, approval: { message: "Go on?", deadline: 1h } }\n',
    problems: ['5:16: an approval cannot have uses: remove it (unknown-key)'],
  },
  {
    what: 'a time limit of an unknown kind',
    pipeline: 'steps:\n  - id: look\n    uses: kubelet-version\n    timeout: { atempt: 5s }\n',
    problems: ['7:16: unknown key atempt; did you mean attempt? (unknown-key)'],
  },
  {
    what: 'a retry after an error that there is not',
    pipeline: 'steps:\n  - id: look\n    uses: kubelet-version\n    retry: { attempts: 2, on: [E_STEP_TIME_LIMT] }\n',
    problems: ['7:32: there is no error code E_STEP_TIME_LIMT; did you mean E_STEP_TIME_LIMIT? (unknown-error)'],
  },
  {
    what: 'a failure that is allowed by a text',
    pipeline: 'steps:\n  - { id: look, uses: kubelet-version, allowFailure: perhaps }\n',
    problems: ['5:54: must be a boolean (shape)'],
  },
  {
    what: 'an output of the pipeline that no step gives',
    pipeline: `steps:\n${look}outputs:\n  said: "\${{ steps.look.outputs.stdot }}"\n`,
    problems: ['7:9: there is no output of command named stdot; did you mean stdout? (unknown-output)'],
  },
  {
    what: 'many things at once',
    pipeline:
      'steps:\n  - id: look\n    uses: comand\n  - id: look\n    uses: file\n    needs: [lok]\n    with: { path: 5, contnt: x }\n',
    problems: [
      '6:11: there is no phase comand; did you mean command? (unknown-phase)',
      '7:9: two steps have the id look (double-id)',
      '9:13: there is no step lok; did you mean look? (unknown-step)',
      '10:19: path must be a string: it must be an absolute path (wrong-type)',
      '10:22: phase file has no input contnt; did you mean content? (unknown-input)',
    ],
  },
];

export const brokenEnvironments: readonly Broken[] = [
  {
    what: 'an environment that is a pipeline',
    whole: `${PIPELINE_HEAD}steps: []\n`,
    problems: ['site.yaml:2:7: must be Environment (shape)', 'site.yaml:4:1: unknown key steps (unknown-key)'],
  },
  {
    what: 'an environment that is no YAML',
    environment: 'inputs: {\n',
    problems: ['site.yaml:5:1: Flow map in block collection must be sufficiently indented and end with a } (yaml)'],
  },
  {
    what: 'an unknown key',
    environment: 'patch: []\n',
    problems: ['site.yaml:4:1: unknown key patch; did you mean patches? (unknown-key)'],
  },
  {
    what: 'an environment that wants to extend another',
    environment: 'extends: cloud\n',
    problems: ['site.yaml:4:1: unknown key extends (unknown-key)'],
  },
  {
    what: 'a patch without anything to do',
    environment: 'patches:\n  - step: look\n',
    problems: ['site.yaml:5:5: must have one of merge, replace, wrap, insert, remove and jsonPatch (shape)'],
  },
  {
    what: 'a patch that does two things',
    environment: 'patches:\n  - step: look\n    merge: {}\n    replace: { uses: command }\n',
    problems: ['site.yaml:6:5: unknown key merge (unknown-key)', 'site.yaml:7:5: unknown key replace (unknown-key)'],
  },
  {
    what: 'a patch of a step that there is not',
    environment: 'patches:\n  - step: lok\n    merge: { timeout: 1m }\n',
    problems: ['site.yaml:5:11: there is no step lok; did you mean look? (unknown-step)'],
  },
  {
    what: 'an insert after a step that there is not',
    environment: 'patches:\n  - insert:\n      after: nte\n      step: { id: more, uses: kubelet-version }\n',
    problems: ['site.yaml:6:14: there is no step nte; did you mean note? (unknown-step)'],
  },
  {
    what: 'an insert with needs',
    environment: 'patches:\n  - insert: { after: look, step: { id: more, uses: kubelet-version, needs: [look] } }\n',
    problems: ['site.yaml:5:76: is not allowed here: the needs of a new step follow from its position (shape)'],
  },
  {
    what: 'an insert in two places',
    environment: 'patches:\n  - insert: { after: look, before: note, step: { id: more, uses: kubelet-version } }\n',
    problems: ['site.yaml:5:13: must have at most 2 keys (shape)'],
  },
  {
    what: 'an insert in the middle',
    environment: 'patches:\n  - insert: { at: middle, step: { id: more, uses: kubelet-version } }\n',
    problems: ['site.yaml:5:19: must be one of start, end (shape)'],
  },
  {
    what: 'an insert without an id',
    environment: 'patches:\n  - insert: { at: end, step: { uses: kubelet-version } }\n',
    problems: ['site.yaml:5:30: id is missing (shape)'],
  },
  {
    what: 'an insert of an id that there is',
    environment: 'patches:\n  - insert:\n      at: end\n      step: { id: look, uses: kubelet-version }\n',
    problems: [
      'site.yaml:7:19: two steps have the id look (double-id)',
      '13:63: there is no output of kubelet-version named stdout (unknown-output)',
    ],
  },
  {
    what: 'the removal of a step that there is not',
    environment: 'patches:\n  - remove: loook\n',
    problems: ['site.yaml:5:13: there is no step loook; did you mean look? (unknown-step)'],
  },
  {
    what: 'the removal of a step twice',
    environment: 'patches:\n  - remove: look\n  - remove: look\n',
    problems: ['site.yaml:6:13: there is no step look (unknown-step)'],
  },
  {
    what: 'the removal of a step whose output is read',
    environment: 'patches:\n  - remove: look\n',
    problems: ['13:63: there is no step look (unknown-step)'],
  },
  {
    what: 'a merge that gives a step another id',
    environment: 'patches:\n  - { step: look, merge: { id: other } }\n',
    problems: ['site.yaml:5:32: cannot be changed: other steps refer to it (shape)'],
  },
  {
    what: 'a merge of all steps',
    environment: 'patches:\n  - merge: { steps: [] }\n',
    problems: ['site.yaml:5:21: cannot be merged: patch each step by its id (shape)'],
  },
  {
    what: 'a merge of a value of the wrong type',
    environment: 'patches:\n  - step: look\n    merge: { with: { query: maybe } }\n',
    problems: ['site.yaml:6:29: query must be a boolean (wrong-type)'],
  },
  {
    what: 'a merge of an unknown key',
    environment: 'patches:\n  - step: look\n    merge: { timout: 1m }\n',
    problems: ['site.yaml:6:14: unknown key timout; did you mean timeout? (unknown-key)'],
  },
  {
    what: 'a merge of an input that the phase has not',
    environment: 'patches:\n  - step: look\n    merge: { with: { qery: true } }\n',
    problems: ['site.yaml:6:22: phase command has no input qery; did you mean query? (unknown-input)'],
  },
  {
    what: 'a merge that takes away what is needed',
    environment: 'patches:\n  - step: look\n    merge: { with: { argv: null } }\n',
    problems: ['12:38: phase command needs the input argv (missing-input)'],
  },
  {
    what: 'a merge that closes a circle',
    environment: 'patches:\n  - step: look\n    merge: { needs: [note] }\n',
    problems: ['site.yaml:6:21: these steps need each other: look → note → look (cycle)'],
  },
  {
    what: 'a replacement with an unknown phase',
    environment: 'patches:\n  - step: look\n    replace: { uses: comand }\n',
    problems: ['site.yaml:6:22: there is no phase comand; did you mean command? (unknown-phase)'],
  },
  {
    what: 'a replacement without the output that is read',
    environment: 'patches:\n  - step: look\n    replace: { uses: kubelet-version }\n',
    problems: ['13:63: there is no output of kubelet-version named stdout (unknown-output)'],
  },
  {
    what: 'a wrap with one side',
    environment: 'patches:\n  - step: look\n    wrap: { before: { id: more, uses: kubelet-version } }\n',
    problems: ['site.yaml:6:11: after is missing (shape)'],
  },
  {
    what: 'a value for an input that there is not',
    environment: 'inputs: { wiat: ready }\n',
    problems: ['site.yaml:4:11: there is no input wiat (unknown-input)'],
  },
  {
    what: 'a value of the wrong type',
    environment: 'inputs: { wait: soon, count: many }\n',
    problems: [
      'site.yaml:4:17: wait must be one of started, ready (wrong-type)',
      'site.yaml:4:30: count must be an integer (wrong-type)',
    ],
  },
  {
    what: 'a secret',
    environment: 'inputs: { token: hunter2 }\n',
    problems: [
      'site.yaml:4:18: token is a secret, and must not be written in an environment: pass it with the run (secret-shown)',
    ],
  },
  {
    what: 'a value that reads another input',
    environment: 'inputs: { endpoint: "${{ inputs.wait }}" }\n',
    problems: [
      'site.yaml:4:21: a default can only read host facts: host.name, host.privileged, host.architecture, host.distribution (not-upstream)',
    ],
  },
  {
    what: 'a file mode that YAML reads as a decimal number',
    environment: 'patches:\n  - step: note\n    merge: { with: { mode: 0600 } }\n',
    problems: ['site.yaml:6:28: YAML reads 0600 as the number 600: write "0600" (decimal-mode)'],
  },
  {
    what: 'machines without a match',
    environment: 'hosts:\n  - inputs: { wait: ready }\n',
    problems: ['site.yaml:5:5: match is missing (shape)'],
  },
  {
    what: 'what is wrong for some machines only',
    environment:
      'hosts:\n  - match: { name: "gpu-*" }\n    patches: [{ step: lok, merge: {} }]\n  - match: { name: w2 }\n    inputs: { wait: never }\n',
    problems: [
      'site.yaml:6:23: there is no step lok; did you mean look? (unknown-step)',
      'site.yaml:8:21: wait must be one of started, ready (wrong-type)',
    ],
  },
  {
    what: 'a fact that there is not',
    environment: 'hosts:\n  - match: { architectur: amd64 }\n    inputs: { wait: ready }\n',
    problems: ['site.yaml:5:14: unknown key architectur; did you mean architecture? (unknown-key)'],
  },
  {
    what: 'a JSON Patch with an unknown operation',
    environment: 'patches:\n  - jsonPatch: [{ op: append, path: /steps/-, value: 1 }]\n',
    problems: ['site.yaml:5:23: must be one of add, remove, replace, move, copy, test (shape)'],
  },
  {
    what: 'a JSON Patch of what is not there',
    environment:
      'patches:\n  - jsonPatch:\n      - { op: test, path: /kind, value: Pipeline }\n      - { op: remove, path: /steps/7 }\n',
    problems: ['site.yaml:7:9: there is nothing at /steps/7 that it could remove (patch)'],
  },
  {
    what: 'a JSON Patch whose test fails',
    environment: 'patches:\n  - jsonPatch: [{ op: test, path: /steps/0/id, value: other }]\n',
    problems: ['site.yaml:5:17: the test of /steps/0/id fails (patch)'],
  },
  {
    what: 'a JSON Patch without what it needs',
    environment: 'patches:\n  - jsonPatch: [{ op: move, path: /steps/0 }]\n',
    problems: ['site.yaml:5:17: move needs more than it says (patch)'],
  },
  {
    what: 'a JSON Patch that reaches for a prototype',
    environment: 'patches:\n  - jsonPatch: [{ op: add, path: /__proto__/x, value: 1 }]\n',
    problems: ['site.yaml:5:55: unknown key x (unknown-key)'],
  },
  {
    what: 'a JSON Patch that brings an unknown phase',
    environment:
      'patches:\n  - jsonPatch:\n      - op: add\n        path: /steps/-\n        value: { id: more, uses: comand }\n',
    problems: ['site.yaml:8:34: there is no phase comand; did you mean command? (unknown-phase)'],
  },
];
