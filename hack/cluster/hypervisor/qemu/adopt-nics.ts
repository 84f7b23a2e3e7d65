/** The NICs of a guest that lived on while this program was away. */
import type {Clock} from '../../../../kube/clock.ts';
import type {Logger} from '../../../../kube/log.ts';
import type {GuestNetworks, JsonValue, NicAttachment, NicRequest} from '../net/networks.ts';
import type {MachinePlan, PlannedNic} from './machine.ts';

/** Pauses between the attempts at a NIC: what it asks the cluster for may not be there yet after a start of everything. */
const PAUSES_MS = [500, 1_000, 2_000] as const;

/** What {@link adoptNics} works with. */
export interface AdoptNicsOptions {
  readonly networks: Pick<GuestNetworks, 'adopt' | 'attach'>;
  readonly plan: MachinePlan;
  /** What was remembered, by index. */
  readonly states: Readonly<Record<string, JsonValue>>;
  readonly request: (nic: PlannedNic) => NicRequest;
  /** A NIC through which nothing passes until its guest is started anew, in a sentence for a person. */
  readonly onDark: (message: string) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Takes them up, by index. Never rejects: the guest lives and shall be found again. A NIC whose cable is lost stays dark; one that has no
 * place in a network at all is not among the result.
 */
export async function adoptNics(options: AdoptNicsOptions): Promise<ReadonlyMap<number, NicAttachment>> {
  const {networks, plan, states, request, onDark, log} = options;
  const adopted = new Map<number, NicAttachment>();
  for (const nic of plan.nics) {
    const asked = request(nic);
    try {
      adopted.set(nic.index, await persist(() => networks.adopt(states[String(nic.index)] ?? null, asked), options.clock));
    } catch (error) {
      log.error({vmi: asked.vmiKey, nic: nic.name, err: error}, 'the cable of a NIC cannot be taken up again');
      const why = error instanceof Error ? error.message : String(error);
      onDark(`interface ${nic.name} is cut off until the guest is started anew or moves: its cable cannot be taken up again: ${why}`);
      try {
        const attachment = await networks.attach(asked); // for what else is done with a NIC
        attachment.setLink(nic.linkUp);
        adopted.set(nic.index, attachment);
      } catch (again) {
        log.error({vmi: asked.vmiKey, nic: nic.name, err: again}, 'a NIC without a network');
      }
    }
  }
  return adopted;
}

async function persist<T>(attempt: () => Promise<T>, clock: Clock): Promise<T> {
  for (const pauseMs of PAUSES_MS) {
    try {
      return await attempt();
    } catch {
      await clock.sleep(pauseMs); // the last attempt tells
    }
  }
  return attempt();
}
