/** `kubelet-main.ts`, without an await outside of functions: it is bundled for a quick start. */
import { runKubelet } from '../../plugins/sandbox/machine/kubelet-process.ts';

void runKubelet(process.argv[2] ?? '/');
