/** Phrases of the private dialect that this project once had, what replaces each, and a sentence that breaks the rule. */

export interface Retired {
  pattern: RegExp;
  instead: string;
  offender: string;
}

const retired = (pattern: RegExp, instead: string, offender: string): Retired => ({ pattern, instead, offender });

export const PHRASES: Retired[] = [
  retired(/\bin vain\b/gi, 'timed out, or failed', 'waited 30s in vain'),
  retired(
    /\b(?:take[sn]?|taking|took)(?:\s+(?:it|them|this|that|what|nothing|everything))?\s+back\b/gi,
    'undo, or roll back',
    'a run is taken\n back',
  ),
  retired(/\b(?:the )?way back\b/gi, 'undo', 'an error on the way back'),
  retired(/\banew\b/gi, 'again', 'begins anew'),
  retired(
    /\b(?:nobody|whoever|somebody|anybody|everybody)\b/gi,
    'name the actor, or "no one", "someone", "anyone"',
    'nobody can be asked',
  ),
  retired(/\bmend(?:s|ed|ing)?\b/gi, 'fix', 'Mend these, or ignore them'),
  retired(/\btold\b/gi, 'name what reports it', 'the phase is told what happens'),
  retired(/\b(?:is|are|was|were) (?:said|shown)\b/gi, 'name what reports or prints it', 'this is said once'),
  retired(
    /\b(?<!there )(?:is|are|was|were) no (?!longer\b|more than\b|less than\b|such\b)/gi,
    'is not a …',
    'x is no file',
  ),
  retired(/\bthere (?:is|are) (?:none|such)\b/gi, 'say what exists', 'there is none'),
  retired(/\bmay be given again\b/gi, 'repeatable', 'may be given again'),
  retired(/\bat work\b/gi, 'running, or in progress', 'another run is at work'),
  retired(/\bgo(?:es|ne|ing)?(?:\s+right)?\s+on\b|\bwent\s+on\b/gi, 'resume, or continue', 'go on with a run'),
  retired(/\b(?:left|leav(?:e|es|ing)) out\b/gi, 'omit, or default', 'the default when it is left out'),
  retired(/\bforg[eo]t(?:s|ten|ting)?\b/gi, 'delete', 'forget runs'),
  retired(
    /\b(?:what|whatever) (?:comes|came|has come|will come) of\b|\bcom(?:es|e|ing) of (?:it|this|them)\b/gi,
    'the result',
    'what comes of it all',
  ),
  retired(/\b(?:laid|lays?) (?:\w+ )?over\b/gi, 'overlay', 'values laid over a pipeline'),
  retired(/\bwhere (?:there (?:is|are|was|were)|nothing|none)\b/gi, 'if, or when', 'fails where there is no file'),
  retired(
    /\b(?:is|are) there twice\b|\bthat (?:is|are) there\b/gi,
    'exists, or is duplicate',
    'a key that is there twice',
  ),
  retired(/\bfor good\b/gi, 'permanently', 'blocked for good'),
  retired(/\b(?:to|can|could|must) be had\b/gi, 'available', 'not to be had'),
  retired(/\b(?:do|does|did|will) not allow to\b/gi, 'not allowed to', 'RBAC does not allow to get nodes'),
  retired(/\bholes?\b/gi, 'placeholder', 'every hole in the text'),
  retired(/\b(?:take|takes|taken|took) (?:it |them )?up(?: again)?\b/gi, 'resume', 'a run is taken up'),
  retired(/\b(?:gets?|got|getting) to (?:its|the|their) end\b/gi, 'finish', 'did not get to its end'),
  retired(/\bbut for\b/gi, 'except', 'all files but for one'),
  retired(/\bso much as\b|\bas much of\b/gi, 'say how much', 'as much of its id as is unlike others'),
  retired(
    /\b(?:undefined|empty|absent|false|throws|nothing|E_[A-Z_]+),?\s+where\s+(?:it|they|that|this|one|there|the|an?|no|any)\b/gi,
    'if',
    'Undefined where it is missing',
  ),
  retired(/\bwithout a word\b/gi, 'without output, or without a message', 'it fails without a word'),
  retired(/\bfor ever\b/gi, 'forever, or never expires', 'valid for ever'),
  retired(/\bgood for nothing\b|\bas good as\b/gi, 'say what it is', 'as good as none'),
  retired(/\bpass(?:es|ed)? over\b/gi, 'ignore', 'the document is passed over'),
  retired(/\bleads? nowhere\b/gi, 'its target is missing', 'a link that leads nowhere'),
  retired(/\bin (?:a circle|circles)\b/gi, 'a cycle', 'nested in a circle'),
  retired(/\ball the same\b/gi, 'nevertheless', 'it is stopped all the same'),
  retired(/\b(?:some|no|any)thing else than\b/gi, 'does not, or is not', 'it returns something else than a plugin'),
  retired(/\b(?:has|have) not (?:two|three|an?|the|any)\b/gi, 'does not have', 'the certificate has not three parts'),
  retired(/\bma(?:k|d)es? (?:no )?use of\b/gi, 'use', 'a discovery file makes no use of it'),
  retired(/\bmistake of ours\b/gi, 'a bug', 'a mistake of ours'),
  retired(/\bany more\b(?!\s+than\b)/gi, 'no longer', 'nothing needs it any more'),
  retired(/\btells? its\b/gi, 'report', 'the runtime cannot tell its version'),
  retired(/\bSurroundings\b|\bRunBook\b/g, 'CommandOptions, RunState or StepExecutor', 'the RunBook knows'),
];
