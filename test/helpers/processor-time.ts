/** Milliseconds of processor time that this process has used: what code costs, also where many share the machine. */
export function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
