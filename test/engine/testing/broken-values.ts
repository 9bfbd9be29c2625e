/** Pipelines with broken inputs, expressions, secrets or time limits. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders look like JavaScript templates
import { type Broken, INPUTS as inputs, LOOK as look } from './broken.ts';

export const brokenValues: readonly Broken[] = [
  {
    what: 'an unknown input of the pipeline',
    pipeline: `${inputs}steps:\n  - { id: note, uses: file, with: { path: "\${{ inputs.endpint }}", content: x } }\n`,
    problems: ['6:43: there is no input endpint; did you mean endpoint? (unknown-input)'],
  },
  {
    what: 'an input of the pipeline of the wrong type',
    pipeline: `${inputs}steps:\n  - { id: note, uses: file, with: { path: /etc/note, content: "\${{ inputs.count }}" } }\n`,
    problems: ['6:63: content must be of type string, but this expression is of type integer (wrong-type)'],
  },
  {
    what: 'an unknown host fact',
    pipeline: 'steps:\n  - { id: note, uses: file, with: { path: /etc/note, content: "${{ host.nam }}" } }\n',
    problems: ['5:63: there is no host fact nam; did you mean name? (unknown-fact)'],
  },
  {
    what: 'an unknown feature gate',
    pipeline:
      'steps:\n  - { id: note, uses: file, with: { path: /etc/note, absent: "${{ gates.DynamicKubletConfig }}" } }\n',
    problems: ['5:62: there is no feature gate DynamicKubletConfig; did you mean DynamicKubeletConfig? (unknown-gate)'],
  },
  {
    what: 'a placeholder that is not closed',
    pipeline: 'steps:\n  - { id: note, uses: file, with: { path: /etc/note, content: "${{ host.name" } }\n',
    problems: ['5:63: a ${{ is not closed (expression)'],
  },
  {
    what: 'an empty placeholder',
    pipeline: 'steps:\n  - { id: note, uses: file, with: { path: /etc/note, content: "${{ }}" } }\n',
    problems: ['5:63: ${{  }}: syntax error at 1:1: the expression ends too early (expression)'],
  },
  {
    what: 'an expression that cannot be parsed',
    pipeline: 'steps:\n  - { id: note, uses: file, with: { path: /etc/note, content: "${{ host.name + }}" } }\n',
    problems: ['5:63: ${{ host.name + }}: syntax error at 1:12: the expression ends too early (expression)'],
  },
  {
    what: 'an expression with operands of incompatible types',
    pipeline: `${inputs}steps:\n  - { id: note, uses: file, with: { path: /etc/note, content: "\${{ host.name + host.privileged }}" } }\n`,
    problems: ['6:63: host.name + host.privileged: + does not work on string and bool (expression)'],
  },
  {
    what: 'an output of an unknown step',
    pipeline: `steps:\n${look}  - { id: note, uses: file, with: { path: /etc/note, content: "\${{ steps.lok.outputs.stdout }}" } }\n`,
    problems: ['6:63: there is no step lok; did you mean look? (unknown-step)'],
  },
  {
    what: 'an unknown output of a step',
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
    what: 'an output of the wrong type',
    pipeline: `steps:\n${look}  - { id: note, uses: file, with: { path: /etc/note, content: "\${{ steps.look.outputs.ran }}" } }\n`,
    problems: ['6:63: content must be of type string, but this expression is of type boolean (wrong-type)'],
  },
  {
    what: 'two steps that write the same file in no defined order',
    pipeline:
      'steps:\n  - { id: a, uses: file, with: { path: /etc/note, content: x } }\n  - { id: b, uses: file, needs: [], with: { path: /etc/note, content: y } }\n',
    problems: [
      '6:11: steps a and b both write /etc/note in no defined order: add one to the needs of the other (two-writers)',
    ],
  },
  {
    what: 'a secret in an input that is not secret',
    pipeline: `${inputs}steps:\n  - { id: note, uses: file, with: { path: /etc/note, content: "\${{ inputs.token }}" } }\n`,
    problems: ['6:63: content cannot take a secret: phase file does not mark it writeOnly (secret-shown)'],
  },
  {
    what: 'a secret within a text in an input that is not secret',
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
    what: 'a condition that is not text',
    pipeline: 'steps:\n  - { id: look, if: true, uses: kubelet-version }\n',
    problems: ['5:21: must be a string (shape)'],
  },
  {
    what: 'a condition that is not a boolean',
    pipeline: 'steps:\n  - { id: look, if: host.name, uses: kubelet-version }\n',
    problems: ['5:21: a condition must be a boolean, but this expression is of type string (wrong-type)'],
  },
  {
    what: 'a condition on an unknown input',
    pipeline: `${inputs}steps:\n  - { id: look, if: "inputs.onn", uses: kubelet-version }\n`,
    problems: ['6:21: there is no input onn; did you mean on? (unknown-input)'],
  },
  {
    what: 'a condition that never holds',
    pipeline: 'steps:\n  - { id: look, if: "false", uses: kubelet-version }\n',
    problems: ['5:21: step look never runs: its condition is always false (unreachable)'],
  },
  {
    what: 'a phase that is never used',
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
    what: 'an input with an invalid schema',
    pipeline: `inputs:\n  type: object\n  properties:\n    name: { type: string, pattern: "(" }\nsteps:\n${look}`,
    problems: [
      '7:11: the schema of name cannot be used: RE2 does not support the pattern (: a ( is not closed (schema)',
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
    pipeline: 'steps:\n  - { id: ask, approval: { message: "Continue?" } }\n',
    problems: ['5:26: deadline is missing (shape)'],
  },
  {
    what: 'an approval with a phase',
    pipeline: 'steps:\n  - { id: ask, uses: command, approval: { message: "Continue?", deadline: 1h } }\n',
    problems: ['5:16: an approval cannot have uses: remove it (unknown-key)'],
  },
  {
    what: 'an unknown kind of time limit',
    pipeline: 'steps:\n  - id: look\n    uses: kubelet-version\n    timeout: { atempt: 5s }\n',
    problems: ['7:16: unknown key atempt; did you mean attempt? (unknown-key)'],
  },
  {
    what: 'a retry after an unknown error code',
    pipeline: 'steps:\n  - id: look\n    uses: kubelet-version\n    retry: { attempts: 2, on: [E_STEP_TIME_LIMT] }\n',
    problems: ['7:32: there is no error code E_STEP_TIME_LIMT; did you mean E_STEP_TIME_LIMIT? (unknown-error)'],
  },
  {
    what: 'an allowFailure that is not a boolean',
    pipeline: 'steps:\n  - { id: look, uses: kubelet-version, allowFailure: perhaps }\n',
    problems: ['5:54: must be a boolean (shape)'],
  },
  {
    what: 'an output of the pipeline that reads an unknown output',
    pipeline: `steps:\n${look}outputs:\n  said: "\${{ steps.look.outputs.stdot }}"\n`,
    problems: ['7:9: there is no output of command named stdot; did you mean stdout? (unknown-output)'],
  },
  {
    what: 'several problems at once',
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
