/** Runs the stand-in kubelet until SIGTERM. On failure, exits with 255 and one line on stderr. */
import { startKubelet } from './kubelet.ts';

const STAY_MS = 2 ** 31 - 1;

/** Prefix of a fatal line of klog: `F0102 15:04:05.000000    4242 server.go:274] `. */
function fatalPrefix(now: Date): string {
  const [date = '', time = ''] = now.toISOString().split('T');
  const day = date.slice(5).replace('-', '');
  return `F${day} ${time.slice(0, 12)}000 ${String(process.pid).padStart(7)} server.go:274] `;
}

export async function runKubelet(root: string): Promise<void> {
  process.once('SIGTERM', () => process.exit(0));
  try {
    await startKubelet({ root });
    setInterval(() => undefined, STAY_MS); // without the health check, nothing else keeps the process alive
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${fatalPrefix(new Date())}failed to run Kubelet: ${message.replaceAll('\n', ' ')}\n`);
    process.exitCode = 255;
  }
}
