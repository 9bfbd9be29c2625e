/** Environments that are broken, or that break the pipeline under them. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders look like JavaScript templates
import { type Broken, PIPELINE_HEAD } from './broken.ts';

export const brokenEnvironments: readonly Broken[] = [
  {
    what: 'an environment that is a pipeline',
    whole: `${PIPELINE_HEAD}steps: []\n`,
    problems: ['site.yaml:2:7: must be Environment (shape)', 'site.yaml:4:1: unknown key steps (unknown-key)'],
  },
  {
    what: 'an environment that is not YAML',
    environment: 'inputs: {\n',
    problems: [
      'site.yaml:5:1: the indentation does not match the lines above, or a bracket above is not closed (yaml)',
    ],
  },
  {
    what: 'an unknown key',
    environment: 'patch: []\n',
    problems: ['site.yaml:4:1: unknown key patch; did you mean patches? (unknown-key)'],
  },
  {
    what: 'an environment that extends another',
    environment: 'extends: cloud\n',
    problems: ['site.yaml:4:1: unknown key extends (unknown-key)'],
  },
  {
    what: 'a patch without an operation',
    environment: 'patches:\n  - step: look\n',
    problems: ['site.yaml:5:5: must have one of merge, replace, wrap, insert, remove and jsonPatch (shape)'],
  },
  {
    what: 'a patch with two operations',
    environment: 'patches:\n  - step: look\n    merge: {}\n    replace: { uses: command }\n',
    problems: ['site.yaml:6:5: unknown key merge (unknown-key)', 'site.yaml:7:5: unknown key replace (unknown-key)'],
  },
  {
    what: 'a patch of an unknown step',
    environment: 'patches:\n  - step: lok\n    merge: { timeout: 1m }\n',
    problems: ['site.yaml:5:11: there is no step lok; did you mean look? (unknown-step)'],
  },
  {
    what: 'an insert after an unknown step',
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
    what: 'an insert at an unknown position',
    environment: 'patches:\n  - insert: { at: middle, step: { id: more, uses: kubelet-version } }\n',
    problems: ['site.yaml:5:19: must be one of start, end (shape)'],
  },
  {
    what: 'an insert without an id',
    environment: 'patches:\n  - insert: { at: end, step: { uses: kubelet-version } }\n',
    problems: ['site.yaml:5:30: id is missing (shape)'],
  },
  {
    what: 'an insert of an ID that exists',
    environment: 'patches:\n  - insert:\n      at: end\n      step: { id: look, uses: kubelet-version }\n',
    problems: [
      'site.yaml:7:19: two steps have the id look (double-id)',
      '13:63: there is no output of kubelet-version named stdout (unknown-output)',
    ],
  },
  {
    what: 'the removal of an unknown step',
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
    what: 'a merge of an unknown input of the phase',
    environment: 'patches:\n  - step: look\n    merge: { with: { qery: true } }\n',
    problems: ['site.yaml:6:22: phase command has no input qery; did you mean query? (unknown-input)'],
  },
  {
    what: 'a merge that removes a required input',
    environment: 'patches:\n  - step: look\n    merge: { with: { argv: null } }\n',
    problems: ['12:38: phase command needs the input argv (missing-input)'],
  },
  {
    what: 'a merge that creates a cycle',
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
    what: 'a value for an unknown input',
    environment: 'inputs: { wiat: ready }\n',
    problems: ['site.yaml:4:11: there is no input wiat; did you mean wait? (unknown-input)'],
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
    what: 'problems on some machines only',
    environment:
      'hosts:\n  - match: { name: "gpu-*" }\n    patches: [{ step: lok, merge: {} }]\n  - match: { name: w2 }\n    inputs: { wait: never }\n',
    problems: [
      'site.yaml:6:23: there is no step lok; did you mean look? (unknown-step)',
      'site.yaml:8:21: wait must be one of started, ready (wrong-type)',
    ],
  },
  {
    what: 'an unknown fact',
    environment: 'hosts:\n  - match: { architectur: amd64 }\n    inputs: { wait: ready }\n',
    problems: ['site.yaml:5:14: unknown key architectur; did you mean architecture? (unknown-key)'],
  },
  {
    what: 'a JSON Patch with an unknown operation',
    environment: 'patches:\n  - jsonPatch: [{ op: append, path: /steps/-, value: 1 }]\n',
    problems: ['site.yaml:5:23: must be one of add, remove, replace, move, copy, test (shape)'],
  },
  {
    what: 'a JSON Patch of a path that does not exist',
    environment:
      'patches:\n  - jsonPatch:\n      - { op: test, path: /kind, value: Pipeline }\n      - { op: remove, path: /steps/7 }\n',
    problems: ['site.yaml:7:9: cannot remove /steps/7: the path does not exist (patch)'],
  },
  {
    what: 'a JSON Patch whose test fails',
    environment: 'patches:\n  - jsonPatch: [{ op: test, path: /steps/0/id, value: other }]\n',
    problems: ['site.yaml:5:17: the test of /steps/0/id fails (patch)'],
  },
  {
    what: 'a JSON Patch without a required field',
    environment: 'patches:\n  - jsonPatch: [{ op: move, path: /steps/0 }]\n',
    problems: ['site.yaml:5:17: move lacks a field that it needs (patch)'],
  },
  {
    what: 'a JSON Patch of a prototype',
    environment: 'patches:\n  - jsonPatch: [{ op: add, path: /__proto__/x, value: 1 }]\n',
    problems: ['site.yaml:5:55: unknown key x (unknown-key)'],
  },
  {
    what: 'a JSON Patch that adds an unknown phase',
    environment:
      'patches:\n  - jsonPatch:\n      - op: add\n        path: /steps/-\n        value: { id: more, uses: comand }\n',
    problems: ['site.yaml:8:34: there is no phase comand; did you mean command? (unknown-phase)'],
  },
];
