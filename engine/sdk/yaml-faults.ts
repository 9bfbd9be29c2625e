/** What can be wrong with the syntax of YAML, in words for its author. */
import type { ErrorCode, YAMLError } from 'yaml';

/** Far deeper than real documents, and far below the depth that overflows the stack of recursive code. */
export const DEPTH_MAX = 100;
export const TOO_DEEP = `nested deeper than ${DEPTH_MAX} levels`;

export const YAML_FAULTS: Record<ErrorCode, string> = {
  ALIAS_PROPS: 'an alias (*name) cannot have an anchor or a tag of its own',
  BAD_ALIAS: 'an alias (*name) is not valid here, or its anchor (&name) is missing',
  BAD_COLLECTION_TYPE: 'the tag does not fit what follows it',
  BAD_DIRECTIVE: 'a directive (a line that begins with %) is not valid',
  BAD_DQ_ESCAPE: 'a double-quoted text has an unknown escape after \\: write \\\\, or use single quotes',
  BAD_INDENT: 'the indentation does not match the lines above, or a bracket above is not closed',
  BAD_PROP_ORDER: 'an anchor or a tag is in the wrong place',
  BAD_SCALAR_START: 'a text without quotes cannot begin with this character: put it in quotes',
  BLOCK_AS_IMPLICIT_KEY:
    'a mapping or list cannot begin on the line of its key: indent it on a new line, or put a text with ": " in quotes',
  BLOCK_IN_FLOW: 'an indented mapping or list is not allowed inside [ ] or { }',
  DUPLICATE_KEY: 'this key is duplicated',
  IMPOSSIBLE: 'this is not YAML',
  KEY_OVER_1024_CHARS: 'a key is longer than 1024 characters: is a ":" too many, or a quote missing?',
  MISSING_CHAR: 'a character is missing: a space or line after ":" or "-", a comma, or a closing quote or bracket',
  MULTILINE_IMPLICIT_KEY: 'a key must end on its line: is a ":" missing, or a quote?',
  MULTIPLE_ANCHORS: 'a value can have only one anchor',
  MULTIPLE_DOCS: 'a second YAML document begins here, and only one can be used: remove the others',
  MULTIPLE_TAGS: 'a value can have only one tag',
  NON_STRING_KEY: 'a key must be a text',
  RESOURCE_EXHAUSTION: TOO_DEEP,
  TAB_AS_INDENT: 'lines are indented with a tab: use spaces',
  TAG_RESOLVE_FAILED: 'the tag (!name) is unknown, or does not fit its value',
  UNEXPECTED_TOKEN: 'this is not YAML: the text here is unexpected',
};

/** Names the key if it is a word, as names of fields are. Any other text may be a misplaced secret. */
export const duplicateKey = (key: string): string =>
  /^[A-Za-z][A-Za-z-]{0,60}$/.test(key) ? `the key ${key} is duplicated` : YAML_FAULTS.DUPLICATE_KEY;

export const yamlFault = ({ code }: YAMLError): string => YAML_FAULTS[code];
