import { files as format } from '../../repositories/files.ts';
import type { Cataloger } from './cataloger.ts';
import { unitsOf } from './units-of.ts';

/** Folders of files with a PULP_MANIFEST: type `iso`. */
export const files: Cataloger = { type: 'files', read: unitsOf(format) };
