/** Names of owners as clients see them. */

/** Owner of standard drives, and host of what is on none: no account and no host has this uuid. */
export const NOBODY = '00000000-0000-0000-0000-000000000000';
