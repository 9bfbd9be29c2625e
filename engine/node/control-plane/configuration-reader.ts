/** Reads fields of a ClusterConfiguration, and collects what is wrong with them. */
import { fail } from '../../sdk/errors.ts';
import { valueText } from '../../sdk/text.ts';

export type Fields = Record<string, unknown>;

export class ConfigurationReader {
  readonly fields: Fields;
  readonly #path: string;
  readonly #problems: string[];

  constructor(value: unknown, path = '', problems: string[] = []) {
    this.#path = path;
    this.#problems = problems;
    const isMapping = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (!isMapping && value !== undefined && value !== null)
      problems.push(`${path.replace(/\.$/, '')} is ${valueText(value)}, not a mapping`);
    this.fields = isMapping ? (value as Fields) : {};
  }

  refuse(field: string, what: string): void {
    this.#problems.push(`${this.#path}${field} ${what}`);
  }

  /** Undefined if the field is absent or empty. */
  text(field: string): string | undefined {
    const value = this.fields[field];
    if (value === undefined || value === null || value === '') return undefined;
    // A line break or another control character would get into a certificate, a file name or a manifest.
    if (typeof value === 'string' && !/\p{Cc}/u.test(value)) return value;
    this.refuse(field, `is ${valueText(value)}, not a text of one line`);
    return undefined;
  }

  required(field: string): string {
    const isMissing = this.fields[field] === undefined || this.fields[field] === null || this.fields[field] === '';
    if (isMissing) this.refuse(field, 'is missing');
    return this.text(field) ?? '';
  }

  /** An absolute path without `..`. */
  path(field: string): string | undefined {
    const path = this.text(field);
    if (path === undefined || (path.startsWith('/') && !path.split('/').includes('..'))) return path;
    this.refuse(field, `is ${valueText(path)}, not an absolute path`);
    return undefined;
  }

  flag(field: string): boolean | undefined {
    const value = this.fields[field];
    if (value === undefined || value === null || typeof value === 'boolean') return value ?? undefined;
    this.refuse(field, `is ${valueText(value)}, not true or false`);
    return undefined;
  }

  texts(field: string): string[] {
    return this.#list(field).flatMap((value, index) => {
      if (typeof value === 'string' && value !== '' && !/\p{Cc}/u.test(value)) return [value];
      this.refuse(`${field}[${index}]`, `is ${valueText(value)}, not a text of one line`);
      return [];
    });
  }

  child(field: string): ConfigurationReader {
    return new ConfigurationReader(this.fields[field], `${this.#path}${field}.`, this.#problems);
  }

  children(field: string): ConfigurationReader[] {
    return this.#list(field).map(
      (value, index) => new ConfigurationReader(value ?? '', `${this.#path}${field}[${index}].`, this.#problems),
    );
  }

  throwIfRefused(): void {
    if (this.#problems.length > 0) throw fail('E_CLUSTER_CONFIGURATION', { problems: this.#problems });
  }

  #list(field: string): unknown[] {
    const value = this.fields[field];
    if (value === undefined || value === null || Array.isArray(value)) return value ?? [];
    this.refuse(field, `is ${valueText(value)}, not a list`);
    return [];
  }
}
