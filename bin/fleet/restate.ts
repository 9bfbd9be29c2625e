/** The Restate server of a fleet: one that runs, or the program to start. */
import { accessSync, constants, existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import type { OperatorOptions } from '../../engine/fleet/operator.ts';
import { fail } from '../../engine/sdk/index.ts';

const ADMIN_PORT = '9070';

/** `root` is the folder of Joinery's package. E_FLEET_SERVER. */
export function chooseRestate(root: string): OperatorOptions['restate'] {
  const { JOINERY_RESTATE: url, JOINERY_RESTATE_ADMIN: admin, JOINERY_RESTATE_KEY: identity } = process.env;
  if (url === undefined || url === '') return { program: serverProgram(root) };
  const ingress = urlOf('JOINERY_RESTATE', url);
  const other = new URL(ingress);
  other.port = ADMIN_PORT;
  return {
    ingress: { url: ingress },
    admin: { url: admin === undefined ? other.href : urlOf('JOINERY_RESTATE_ADMIN', admin) },
    identity,
  };
}

function urlOf(variable: string, text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text;
  throw fail('E_FLEET_SERVER', { what: `${variable} must be the URL of a server, not ${text}` });
}

function serverProgram(root: string): string {
  const { JOINERY_RESTATE_SERVER: named = '', PATH = '' } = process.env;
  if (named !== '' && isProgram(named)) return named;
  if (named !== '') throw fail('E_FLEET_SERVER', { what: `JOINERY_RESTATE_SERVER=${named} is not a program` });
  const onPath = PATH.split(delimiter).map((folder) => join(folder, 'restate-server'));
  const found = [installedServer(root), ...onPath].find((file) => file !== undefined && isProgram(file));
  if (found === undefined) throw fail('E_FLEET_SERVER', { what: 'the program restate-server was not found' });
  return found;
}

/** In the node_modules of this installation. */
function installedServer(root: string): string | undefined {
  const name = `@restatedev/restate-server-linux-${process.arch}`;
  if (!existsSync(root)) return undefined;
  try {
    const manifest = createRequire(join(root, 'package.json')).resolve(`${name}/package.json`);
    return join(dirname(manifest), 'bin/restate-server');
  } catch {
    return undefined; // it is an optional dependency
  }
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
