export class ContainerRuntime {
  constructor(_root: string) {}
  async podSandboxes(
    _socket: string,
    _signal: AbortSignal,
  ): Promise<{ id: string; name: string; namespace: string }[]> {
    return [];
  }
  async removePodSandbox(_socket: string, _id: string, _signal: AbortSignal): Promise<void> {}
}
