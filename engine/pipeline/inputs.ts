/** The inputs that a pipeline declares: their schema, and defaults that read facts of the machine. */
import type { Path } from '../documents/problems.ts';
import { schemaDefect } from '../documents/schema-defect.ts';
import { HOST_FACTS } from '../expressions/scope.ts';
import { evaluate, parseTemplate, referencesIn } from '../expressions/template.ts';
import type { HostFacts } from '../sdk/ports.ts';
import type { Schema } from '../sdk/schema.ts';
import { reportSecret } from './literal-secrets.ts';
import type { Pipeline } from './load.ts';

type Values = Readonly<Record<string, unknown>>;

/** The schema of the inputs without unknown properties. */
export function closedSchema(inputs: Schema): Schema {
  const closed = closedSchemas.get(inputs) ?? { ...inputs, additionalProperties: false };
  closedSchemas.set(inputs, closed);
  return closed;
}

/** The same object each time, because a validator is compiled for each object. */
const closedSchemas = new WeakMap<Schema, Schema>();

/** Checks that ajv can use the schemas, that no default is a secret, and that defaults read host facts only. */
export function checkInputs({ inputs, problems }: Pipeline): void {
  checkSchemas({ inputs, problems });
  for (const [name, schema] of Object.entries(inputs.properties)) {
    const path = ['inputs', 'properties', name, 'default'];
    if (schema.writeOnly === true && schema.default !== undefined) reportSecret(problems, name, path);
    const template = parseTemplate(schema.default, (at, message) =>
      problems.at([...path, ...at], message, 'expression'),
    );
    for (const { reference, path: at } of referencesIn(template))
      if (reference.kind !== 'host' || !Object.hasOwn(HOST_FACTS, reference.name))
        problems.at([...path, ...at], `a default can only read host facts: ${FACTS}`, 'not-upstream');
  }
}

const FACTS = Object.keys(HOST_FACTS)
  .map((name) => `host.${name}`)
  .join(', ');

/** Blames a single input if one of them causes the defect, and the schema as a whole otherwise. */
function checkSchemas({ inputs, problems }: Pick<Pipeline, 'inputs' | 'problems'>): void {
  const defect = schemaDefect(closedSchema(inputs));
  if (defect === undefined) return;
  const defects = Object.entries(inputs.properties).flatMap(([name, schema]) => {
    const own = schemaDefect(schema);
    return own === undefined ? [] : [{ name, own }];
  });
  for (const { name, own } of defects)
    problems.at(['inputs', 'properties', name], `the schema of ${name} cannot be used: ${own}`, 'schema');
  if (defects.length === 0) problems.at(['inputs'], `the schema of the inputs cannot be used: ${defect}`, 'schema');
}

/** `values`, completed by the defaults that are templates, such as `${{ host.name }}`. */
export function withHostDefaults(pipeline: Pipeline, values: Values, host: HostFacts): Record<string, unknown> {
  const completed: Record<string, unknown> = { ...values };
  for (const name of Object.keys(pipeline.inputs.properties)) {
    const value = completed[name] ?? hostDefault(pipeline, name, host);
    if (value !== undefined) completed[name] = value;
  }
  return completed;
}

/** Whether the default of an input is the name of the host. */
export const readsHostName = ({ inputs }: Pipeline, name: string): boolean =>
  /^\$\{\{\s*host\.name\s*\}\}$/.test(String(inputs.properties[name]?.default ?? ''));

/** The default of an input on this machine. */
export function hostDefault(pipeline: Pipeline, name: string, host: HostFacts): unknown {
  const path = ['inputs', 'properties', name, 'default'];
  const report = (at: Path, message: string) => pipeline.problems.at([...path, ...at], message, 'expression');
  const template = parseTemplate(pipeline.inputs.properties[name]?.default, report);
  try {
    return evaluate(template, ({ kind, ...reference }) =>
      kind === 'host' && 'name' in reference ? hostFact(host, reference.name) : undefined,
    );
  } catch (error) {
    report([], (error as Error).message);
    return undefined;
  }
}

export const hostFact = (host: HostFacts, name: string): unknown =>
  Object.hasOwn(host, name) ? host[name as keyof HostFacts] : undefined;
