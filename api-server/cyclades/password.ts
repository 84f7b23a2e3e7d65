/** Makes up administrator passwords. */
import {randomInt} from 'node:crypto';
import {LIMITS, isFineAdminPass} from './create-input.ts';

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
