export class Mounts {
  constructor(_root: string) {}
  async below(_path: string): Promise<string[]> {
    return [];
  }
  async unmount(_path: string, _signal: AbortSignal): Promise<void> {}
}
