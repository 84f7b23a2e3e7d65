/** Slots: where a drive is plugged into a server. */
import {s} from './schema.ts';

/** `ide:B:U` (two buses of two units), `scsi:0:N` (8) and `block:N` (16). */
export const SLOT = '^(ide:[01]:[01]|scsi:0:[0-7]|block:([0-9]|1[0-5]))$';

/** Most drives of a server: every slot taken. */
export const MAX_DISKS = 28;

/** The slot of the root drive that the operator makes from `spec.image`. */
export const ROOT_SLOT = 'block:0';

/** A slot. */
export const slotField = s.string('Slot: `ide:B:U`, `scsi:0:N` or `block:N`.', {min: 7, max: 8, pattern: SLOT});
