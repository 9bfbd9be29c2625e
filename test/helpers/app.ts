/** The application, as `bin/main.ts` composes it. */
import 'reflect-metadata'; // before tsyringe, which bin/compose.ts imports
import { composeApp } from '../../bin/compose.ts';
import { PROJECT } from './sources.ts';

export const app = composeApp({ root: PROJECT });
export const { registry, catalog } = app;
