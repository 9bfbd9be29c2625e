/** The input of the API: a request with its user, and what a verb works on. */
import type { Store } from '../store.ts';
import type { User } from './authentication.ts';
import type { Target } from './request-info.ts';
import type { Resource, ServedVersions } from './resources.ts';

export interface ApiRequest {
  method: string;
  url: URL;
  user: User;
  contentType: string;
  accept: string;
  body: Buffer;
}

export interface ApiContext {
  store: Store;
  now: () => Date;
  gitVersion: string;
  server: string;
  served: ServedVersions;
}

/** One request for one resource. */
export interface Call extends ApiContext, Target {
  request: ApiRequest;
  resourceType: Resource;
  verb: string;
}
