/** The stand-in kubelet as this process: runs until SIGTERM, or ends with 255 and one line on stderr. */
import { startKubelet } from './kubelet.ts';

const STAY_MS = 2 ** 31 - 1;

/** As klog begins a fatal line: `F0102 15:04:05.000000    4242 server.go:274] `. */
function fatalPrefix(now: Date): string {
  const [date = '', time = ''] = now.toISOString().split('T');
  return `F${date.slice(5).replace('-', '')} ${time.slice(0, 12)}000 ${String(process.pid).padStart(7)} server.go:274] `;
}

export async function runKubelet(root: string): Promise<void> {
  process.once('SIGTERM', () => process.exit(0));
  try {
    await startKubelet({ root });
    setInterval(() => undefined, STAY_MS); // with healthz switched off nothing else would keep it here
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${fatalPrefix(new Date())}failed to run Kubelet: ${message.replaceAll('\n', ' ')}\n`);
    process.exitCode = 255;
  }
}
