/** The stand-in kubelet as a program: `kubelet-main ROOT`. */
import { runKubelet } from './kubelet-process.ts';

await runKubelet(process.argv[2] ?? '/');
