/** The stand-in kubelet as a program of its own: `kubelet-main ROOT`. */
import { runKubelet } from './kubelet-process.ts';

await runKubelet(process.argv[2] ?? '/');
