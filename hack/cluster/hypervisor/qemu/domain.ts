/** The domain of a VMI's spec, and what of it no guest of this driver has, whatever its disks and NICs are. Pure. */
import {MACHINE_TYPES} from './events.ts';

/** As far as the driver looks at it. */
export interface Domain {
  readonly cpu?: {
    readonly cores?: number;
    readonly sockets?: number;
    readonly threads?: number;
    readonly model?: string;
    readonly features?: readonly object[];
    readonly dedicatedCpuPlacement?: boolean;
  };
  readonly memory?: {readonly guest?: string; readonly hugepages?: object};
  readonly resources?: {readonly requests?: {readonly memory?: string}};
  readonly machine?: {readonly type?: string};
  readonly firmware?: {
    readonly uuid?: string;
    readonly serial?: string;
    readonly bootloader?: {readonly efi?: object};
    readonly kernelBoot?: object;
  };
  readonly clock?: {readonly timezone?: string; readonly utc?: {readonly offsetSeconds?: number}};
  readonly features?: {readonly acpi?: {readonly enabled?: boolean}; readonly hyperv?: object};
  readonly devices?: Readonly<Record<string, unknown>>;
  readonly chassis?: object;
  readonly ioThreadsPolicy?: string;
  readonly launchSecurity?: object;
}

/** Devices of the spec that are taken care of, or that change nothing for a guest under emulation. */
const KNOWN_DEVICES = new Set([
  'disks',
  'interfaces',
  'rng',
  'autoattachGraphicsDevice',
  'autoattachSerialConsole',
  'autoattachPodInterface',
  'autoattachMemBalloon',
  'logSerialConsole',
  'networkInterfaceMultiqueue',
  'blockMultiQueue',
  'useVirtioTransitional',
  'disableHotplug',
  'inputs',
]);

/** Models of which the guest has what is asked for: all that the emulator can do. */
const WHOLE_MODELS = new Set(['host-model', 'host-passthrough', 'max']);

/** The kind of machine that the spec asks for; undefined: one that is not there. Without a word it is KubeVirt's default. */
export function wantedMachine({machine}: Domain): 'q35' | 'pc' | undefined {
  const type = machine?.type ?? '';
  if (type === '' || type === 'q35' || type === MACHINE_TYPES.q35) return 'q35';
  return type === 'pc' || type === MACHINE_TYPES.pc ? 'pc' : undefined;
}

/** A sentence for each thing that is asked for and not there. Timers, resources and all else that nobody notices under emulation is none. */
export function unsupportedOf(domain: Domain): string[] {
  const {cpu, memory, machine, firmware, clock, features, devices = {}} = domain;
  const out: string[] = [];
  const say = (asked: boolean, sentence: string): void => {
    if (asked) out.push(sentence);
  };
  say(firmware?.bootloader?.efi !== undefined, 'firmware: EFI is not there, the guest starts from a BIOS');
  say(firmware?.kernelBoot !== undefined, 'firmware: kernelBoot is not there, the guest boots from its disks');
  say(
    wantedMachine(domain) === undefined,
    `machine: type ${machine?.type} is not there, only ${Object.values(MACHINE_TYPES).join(' and ')}`,
  );
  const model = cpu?.model ?? '';
  say(model !== '' && !WHOLE_MODELS.has(model), `cpu: model ${model} is not there, the guest has all that the emulator can do`);
  say((cpu?.features ?? []).length > 0, 'cpu: features cannot be chosen, the guest has all that the emulator can do');
  say(cpu?.dedicatedCpuPlacement === true, 'cpu: dedicated CPUs are not there, the guest shares all of them');
  say(memory?.hugepages !== undefined, 'memory: huge pages are not there');
  say((clock?.timezone ?? '') !== '', `clock: timezone ${clock?.timezone} is not there, the clock is in UTC`);
  say((clock?.utc?.offsetSeconds ?? 0) !== 0, 'clock: an offset from UTC is not there');
  say(features?.acpi?.enabled === false, 'features: a guest without ACPI is not there');
  say(features?.hyperv !== undefined, 'features: hyperv is not there');
  say(domain.chassis !== undefined, 'chassis is not there');
  say((domain.ioThreadsPolicy ?? '') !== '', `ioThreadsPolicy ${domain.ioThreadsPolicy} is not there, all disks share one thread`);
  say(domain.launchSecurity !== undefined, 'launchSecurity is not there: this is an emulator');
  say(devices['autoattachSerialConsole'] === false, 'devices: a guest without a serial console is not there');
  for (const [name, value] of Object.entries(devices)) {
    const empty = value === undefined || value === null || value === false || (Array.isArray(value) && value.length === 0);
    say(!KNOWN_DEVICES.has(name) && !empty, `devices.${name} is not there`);
  }
  return out;
}
