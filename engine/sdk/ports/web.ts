/** The port to the web: HTTP calls, downloads and TCP ports. */
import type { Secret } from '../secret.ts';

/**
 * One HTTP call, and the expected response. Redirects are not followed.
 * @stable
 */
export interface HttpCall {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** An https:// address, or an http:// address of this machine itself. */
  url: string;
  headers?: Readonly<Record<string, string | Secret>>;
  body?: string | Secret;
  /** PEM bundle that verifies the server (default: the certificates that this machine trusts). */
  ca?: string;
  /** The expected response (default: any status from 200 to 299). */
  expect?: {
    statuses?: readonly number[];
    /** The JSON that the response must contain; it may contain more. */
    json?: unknown;
  };
}

/**
 * The response to an HTTP call.
 * @stable
 */
export interface HttpAnswer {
  status: number;
  /** At most 1 MiB. */
  body: string;
}

/**
 * A variable of the environment with a proxy, or with the hosts that need none.
 * @experimental
 */
export interface ProxyVariable {
  /** Such as `HTTPS_PROXY` or `no_proxy`. */
  name: string;
  /** May contain a password. */
  value: string;
}

/**
 * HTTP and TCP of this machine.
 * @stable
 */
export interface Web {
  /**
   * Downloads an https:// address (at most 1 MiB) through the proxy of this machine, verified with the certificates
   * that it trusts.
   * Errors: E_DOWNLOAD, E_API_….
   */
  get(url: string): Promise<string>;
  /**
   * Makes one call. `irreversible` is the reason why a change stays, if `undo` of the phase does not revert it.
   * Errors: E_HTTP_ANSWER, E_HTTP_UNREACHABLE, E_API_CERTIFICATE_….
   */
  call(call: HttpCall, irreversible?: string): Promise<HttpAnswer>;
  /**
   * Repeats the call until the response is as expected, with pauses of up to 2 s. E_WAIT when the time limit passes.
   */
  waitFor(call: HttpCall): Promise<void>;
  /** Waits until the port accepts TCP connections. E_WAIT when the time limit passes. */
  waitForPort(host: string, port: number): Promise<void>;
  /**
   * Host and port of the proxy through which this machine connects to the address; undefined if it connects directly.
   */
  proxyOf(url: string): Promise<string | undefined>;
  /**
   * The variables of this process that name a proxy, sorted by name. Plugins may not read them.
   * @experimental
   */
  proxyVariables(): Promise<ProxyVariable[]>;
  /** PEM bundle of the certificates that this machine trusts. */
  roots(): Promise<string>;
}
