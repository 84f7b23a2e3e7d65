/** The two profiles of the compute API: same handlers and data, and the few codes in which document and clients disagree. */

/** Where the document's codes are served. */
export const DOCUMENT_MOUNT = '/compute/v2.0';
/** Where the codes that released clients accept are served; the identity catalogue advertises this one. */
export const CLIENT_MOUNT = '/cyclades/compute/v2.0';

/** The codes that differ. */
export interface Profile {
  readonly name: 'document' | 'client';
  /** POST /servers. */
  readonly created: 200 | 202;
  /** A wrong verb on a known URL. */
  readonly wrongVerb: 400 | 405;
  /** More metadata items than allowed. */
  readonly tooMuchMetadata: 'over-limit' | 'bad-request';
  /** Create and rename with a body of another media type. */
  readonly wrongMediaType: 'unsupported-media-type' | 'bad-request';
  /** Images with changes-since and nothing changed. */
  readonly imagesUnchanged: 304 | 200;
  /** DELETE of an image's metadata item that is not there. */
  readonly absentImageMeta: 404 | 204;
}

const DOCUMENT: Profile = {
  name: 'document',
  created: 200,
  wrongVerb: 400,
  tooMuchMetadata: 'over-limit',
  wrongMediaType: 'unsupported-media-type',
  imagesUnchanged: 304,
  absentImageMeta: 404,
};

const CLIENT: Profile = {
  name: 'client',
  created: 202,
  wrongVerb: 405,
  tooMuchMetadata: 'bad-request',
  wrongMediaType: 'bad-request',
  imagesUnchanged: 200,
  absentImageMeta: 204,
};

/** The profile of a mount; anything but the document mount is the client profile. */
export function profileOf(mount: string): Profile {
  return mount === DOCUMENT_MOUNT ? DOCUMENT : CLIENT;
}
