/** Status objects for errors, with the reasons, codes, messages and details of the real server. */
import type { Resource } from './resources.ts';

export interface StatusCause {
  reason: string;
  message: string;
  field: string;
}

export interface StatusDetails {
  name?: string;
  group?: string;
  kind?: string;
  uid?: string;
  causes?: StatusCause[];
  retryAfterSeconds?: number;
}

export interface Status {
  kind: 'Status';
  apiVersion: 'v1';
  metadata: Record<string, never>;
  status: 'Failure' | 'Success';
  message?: string;
  reason?: string;
  details?: StatusDetails;
  code?: number;
}

/** May be thrown anywhere in the API; the server sends it as the answer. */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly code: number;
  readonly status: Status;

  constructor(code: number, reason: string, message: string, details?: StatusDetails) {
    super(message);
    this.code = code;
    this.status = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      reason,
      ...(details === undefined ? {} : { details }),
      code,
    };
  }
}

/** `nodes`, or `certificatesigningrequests.certificates.k8s.io`. */
const qualified = (word: string, group: string): string => (group === '' ? word : `${word}.${group}`);

const detailsOf = ({ group, plural }: Resource, name: string): StatusDetails => ({
  ...(name === '' ? {} : { name }),
  ...(group === '' ? {} : { group }),
  kind: plural,
});

const describeObject = (resource: Resource, name: string): string => {
  const word = qualified(resource.plural, resource.group);
  return name === '' ? word : `${word} "${name}"`;
};

export const badRequest = (message: string) => new StatusError(400, 'BadRequest', message);
export const unauthorized = () => new StatusError(401, 'Unauthorized', 'Unauthorized');
export const forbidden = (resource: Resource, name: string, why: string) =>
  new StatusError(
    403,
    'Forbidden',
    `${describeObject(resource, name)} is forbidden: ${why}`,
    detailsOf(resource, name),
  );
export const forbiddenPath = (user: string, verb: string, path: string) =>
  new StatusError(403, 'Forbidden', `forbidden: User "${user}" cannot ${verb} path "${path}"`, {});
export const notFound = (resource: Resource, name: string) =>
  new StatusError(404, 'NotFound', `${describeObject(resource, name)} not found`, detailsOf(resource, name));
export const noSuchResource = () =>
  new StatusError(404, 'NotFound', 'the server could not find the requested resource', {});
export const methodNotAllowed = () =>
  new StatusError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});
export const alreadyExists = (resource: Resource, name: string) =>
  new StatusError(409, 'AlreadyExists', `${describeObject(resource, name)} already exists`, detailsOf(resource, name));
export const conflict = (resource: Resource, name: string, why: string) =>
  new StatusError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${describeObject(resource, name)}: ${why}`,
    detailsOf(resource, name),
  );
export const expired = (asked: number, oldest: number) =>
  new StatusError(410, 'Expired', `too old resource version: ${asked} (${oldest})`);
export const tooLarge = (limit: number) =>
  new StatusError(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${limit}`);
export const unsupportedMediaType = (accepted: readonly string[]) =>
  new StatusError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  );
export const tooManyRequests = (retryAfterSeconds: number) =>
  new StatusError(429, 'TooManyRequests', 'Too many requests, please try again later.', { retryAfterSeconds });
export const internalError = (message: string) =>
  new StatusError(500, 'InternalError', `Internal error occurred: ${message}`, {
    causes: [{ reason: '', message, field: '' }],
  });
export const unavailable = () =>
  new StatusError(503, 'ServiceUnavailable', 'the server is currently unable to handle the request');

/** One 422 that lists every invalid field. */
export function invalid(kind: string, group: string, name: string, causes: StatusCause[]): StatusError {
  const problems = causes.map(({ field, message }) => `${field}: ${message}`);
  const text = problems.length === 1 ? problems[0] : `[${problems.join(', ')}]`;
  const details = { ...(name === '' ? {} : { name }), ...(group === '' ? {} : { group }), kind, causes };
  return new StatusError(422, 'Invalid', `${qualified(kind, group)} "${name}" is invalid: ${text}`, details);
}

export const required = (field: string, why = ''): StatusCause => ({
  reason: 'FieldValueRequired',
  message: `Required value${why === '' ? '' : `: ${why}`}`,
  field,
});
export const invalidValue = (field: string, value: unknown, why: string): StatusCause => ({
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${JSON.stringify(value)}: ${why}`,
  field,
});
export const notSupported = (field: string, value: unknown, supported: readonly string[]): StatusCause => ({
  reason: 'FieldValueNotSupported',
  message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${supported.map((one) => `"${one}"`).join(', ')}`,
  field,
});
export const forbiddenChange = (field: string, why: string): StatusCause => ({
  reason: 'FieldValueForbidden',
  message: `Forbidden: ${why}`,
  field,
});

export const success = ({ plural, group }: Resource, name: string, uid: string): Status => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Success',
  details: { name, ...(group === '' ? {} : { group }), kind: plural, uid },
});
