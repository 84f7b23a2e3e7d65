/** Makes up administrator passwords, with their hashes ready before somebody waits for them. */
import {randomInt} from 'node:crypto';
import type {Clock} from '../../kube/clock.ts';
import {isFineAdminPass, LIMITS} from './create-input.ts';
import {hashForShadow} from './sha512-crypt.ts';

/** Without the characters that are mistaken for each other when read off a screen. */
const CHARACTERS = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789';

/** Ten random characters with an upper-case letter, a lower-case one and a digit. */
export function randomAdminPass(): string {
  // About four draws of five have all three.
  for (;;) {
    const password = Array.from({length: LIMITS.adminPass}, () => CHARACTERS[randomInt(CHARACTERS.length)]).join('');
    if (isFineAdminPass(password)) return password;
  }
}

/** A password and its hash for /etc/shadow. */
export interface AdminPass {
  readonly password: string;
  readonly hash: string;
}

/** Passwords in stock. Each is handed out once and then forgotten. */
export interface AdminPassSupply {
  take(): AdminPass;
}

/** Kept in stock: a burst of so many creates hashes nothing while its clients wait. */
const STOCK = 16;

/** Long enough for the writes of the create that took one to be on the wire, so that the cluster works meanwhile. */
const REFILL_AFTER_MS = 2;

/**
 * Creates a supply. Hashing takes one to two milliseconds of CPU, about as long as everything else that a create does here; taking one
 * has the next one made a moment later, while the create waits for the cluster.
 */
export function createAdminPassSupply(clock: Pick<Clock, 'setTimer'>): AdminPassSupply {
  const stock: AdminPass[] = [];
  const make = (): AdminPass => {
    const password = randomAdminPass();
    return {password, hash: hashForShadow(password, {guessable: false})};
  };
  let refilling = false;
  const refill = (): void => {
    if (stock.length < STOCK) stock.push(make());
    // One at a time, so that requests get their turn in between.
    if (stock.length < STOCK) clock.setTimer(REFILL_AFTER_MS, refill);
    else refilling = false;
  };
  return {
    take() {
      const taken = stock.shift() ?? make();
      if (!refilling) {
        refilling = true;
        clock.setTimer(REFILL_AFTER_MS, refill);
      }
      return taken;
    },
  };
}
