/** The application, as `bin/main.ts` composes it. */
import 'reflect-metadata'; // before tsyringe, which bin/compose.ts imports
import { packageAssets } from '../../bin/assets.ts';
import { composeApp } from '../../bin/compose.ts';

// The fuzzer bundles this file as CommonJS, which has no import.meta; every test runs from the root of the project.
export const app = composeApp({ assets: packageAssets(process.cwd()) });
export const { registry, catalog } = app;
