/**
 * Runs the stand-in kubelet until SIGTERM, or until its machine is deleted. On failure, exits with 255 and one line on
 * stderr.
 */
import { existsSync } from 'node:fs';
import { startKubelet } from './kubelet.ts';

const LOOK_MS = 1_000;

/** Prefix of a fatal line of klog: `F0102 15:04:05.000000    4242 server.go:274] `. */
function fatalPrefix(now: Date): string {
  const [date = '', time = ''] = now.toISOString().split('T');
  const day = date.slice(5).replace('-', '');
  return `F${day} ${time.slice(0, 12)}000 ${String(process.pid).padStart(7)} server.go:274] `;
}

export async function runKubelet(root: string): Promise<void> {
  process.once('SIGTERM', () => process.exit(0));
  // The process that started it may be gone. Without the health check, only this timer keeps the kubelet alive.
  const look = setInterval(() => {
    if (!existsSync(root)) process.exit(0);
  }, LOOK_MS);
  try {
    await startKubelet({ root, log: (line) => process.stderr.write(`${line}\n`) });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${fatalPrefix(new Date())}failed to run Kubelet: ${message.replaceAll('\n', ' ')}\n`);
    process.exitCode = 255;
    clearInterval(look);
  }
}
