/** A broken pipeline or environment, and the problems that Joinery finds in it: `line:column: message (rule)`. */

export interface Broken {
  what: string;
  /** The text below the head. Default: that of `SOUND`. */
  pipeline?: string;
  /** The text below the head of an environment. */
  environment?: string;
  /** The whole text, including the head. */
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

export const INPUTS =
  'inputs: { type: object, properties: { endpoint: { type: string }, token: { type: string, writeOnly: true }, count: { type: integer }, on: { type: boolean } } }\n';
export const LOOK = '  - { id: look, uses: command, with: { argv: [/bin/true], query: true } }\n';
