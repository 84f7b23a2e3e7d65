/**
 * Something that a container needs is not there yet: a Secret, a bound claim, a peer. It waits, and its status says for what.
 * `reason` is a kubelet's: `ContainerCreating` for volumes and peers, `CreateContainerConfigError` for the environment.
 */
export class NotYet extends Error {
  readonly reason: 'ContainerCreating' | 'CreateContainerConfigError';

  constructor(reason: NotYet['reason'], message: string) {
    super(message);
    this.name = 'NotYet';
    this.reason = reason;
  }
}
