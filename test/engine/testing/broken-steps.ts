/** Pipelines with a broken shape, steps, phases or inputs of phases. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders look like JavaScript templates
import { type Broken, LOOK as look } from './broken.ts';

export const brokenSteps: readonly Broken[] = [
  { what: 'an empty file', whole: '', problems: ['1:1: must be an object (shape)'] },
  { what: 'a list', whole: '- a\n', problems: ['1:1: must be an object (shape)'] },
  {
    what: 'a text that is not YAML',
    pipeline: 'steps: [a, b\nmetadata: }\n',
    problems: [
      '5:1: the indentation does not match the lines above, or a bracket above is not closed (yaml)',
      '5:11: this is not YAML: the text here is unexpected (yaml)',
    ],
  },
  {
    what: 'a tab as indentation',
    pipeline: 'steps:\n\t- id: a\n',
    problems: ['5:1: lines are indented with a tab: use spaces (yaml)'],
  },
  {
    what: 'a duplicate key',
    pipeline: `steps:\n${look}steps: []\n`,
    problems: ['6:1: the key steps is duplicated (yaml)'],
  },
  {
    what: 'an alias without an anchor',
    pipeline: 'steps: *none\n',
    problems: ['4:8: anchor none is not defined before this line (yaml)'],
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
    problems: ['7:5: unknown key wiht; did you mean with? (unknown-key)'],
  },
  { what: 'a step without an id', pipeline: 'steps:\n  - uses: command\n', problems: ['5:5: id is missing (shape)'] },
  {
    what: 'a step without a phase',
    pipeline: 'steps:\n  - id: look\n',
    problems: ['5:5: a step needs either uses or approval (shape)'],
  },
  {
    what: 'an invalid duration',
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
    what: 'zero attempts',
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
    what: 'an unknown phase that resembles no other',
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
    what: 'two steps with the same ID',
    pipeline: `steps:\n${look}${look}`,
    problems: ['6:11: two steps have the id look (double-id)'],
  },
  {
    what: 'an unknown step in needs',
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
    what: 'an unknown input of the phase',
    pipeline:
      'steps:\n  - id: look\n    uses: command\n    with:\n      argv: [/bin/true]\n      qery: true\n      query: true\n',
    problems: ['9:7: phase command has no input qery; did you mean query? (unknown-input)'],
  },
  {
    what: 'a missing input',
    pipeline: 'steps:\n  - id: look\n    uses: command\n    with: { query: true }\n',
    problems: ['7:11: phase command needs the input argv (missing-input)'],
  },
  {
    what: 'a missing input in a step without inputs',
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
];
