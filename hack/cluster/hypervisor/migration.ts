/** Carries out the steps of a migration: target there → address and start in one patch → copy → its end in one patch. */
import type {Clock} from '../../../kube/clock.ts';
import type {Logger} from '../../../kube/log.ts';
import type {MigrationStep} from './decide.ts';
import type {Guest} from './guest.ts';
import {migrationFailedPatch, migrationStartedPatch, migrationSucceededPatch} from './status.ts';
import type {Vmi} from './types.ts';
import type {VmiWriter} from './vmi-writer.ts';

/** What a step works on. */
export interface MigrationScope {
  readonly key: string;
  readonly vmi: Vmi;
  readonly guest: Guest;
  /** Where targets are said to listen. */
  readonly address: string;
  readonly writer: VmiWriter;
  readonly clock: Clock;
  readonly log: Logger;
  /** Has the VMI looked at again. */
  readonly again: () => void;
}

/** Carries out one step. The source pod is completed, or the target pod removed, by the pod chores that follow from what is written. */
export async function performMigrationStep(step: MigrationStep, scope: MigrationScope, signal: AbortSignal): Promise<void> {
  const {vmi, guest, clock, log} = scope;
  const move = vmi.status?.migrationState;
  switch (step.do) {
    case 'prepare-migration':
      log.info({vmi: scope.key, from: guest.nodeName, to: move?.targetNode}, 'migration');
      guest.migrate({uid: move?.migrationUid ?? '', targetNode: move?.targetNode ?? '', vmi});
      return scope.again();
    case 'begin-migration':
      await scope.writer.write(vmi, (seen) => migrationStartedPatch(seen, scope.address, clock.now()), signal);
      return guest.migration?.begin();
    case 'cancel-migration':
      return guest.migration?.cancel(step.why);
    case 'forget-migration':
      guest.migration?.cancel(step.why);
      guest.forgetMigration();
      return scope.again();
    case 'report-migration':
      await report(scope, signal);
      return guest.forgetMigration();
  }
}

async function report({key, vmi, guest, writer, clock, log}: MigrationScope, signal: AbortSignal): Promise<void> {
  const {migration} = guest;
  if (migration === undefined) return;
  const {state, failure, targetNode} = migration;
  log.info({vmi: key, outcome: state, node: guest.nodeName, failure}, 'migration ended');
  const aborted = vmi.status?.migrationState?.abortRequested === true || failure === '';
  const message = state === 'cancelled' && aborted ? 'Live migration has been aborted' : failure;
  const why = {cancelled: state === 'cancelled', message};
  await writer.write(
    vmi,
    (seen) =>
      state === 'succeeded' ? migrationSucceededPatch(seen, targetNode, clock.now()) : migrationFailedPatch(seen, why, clock.now()),
    signal,
  );
}
