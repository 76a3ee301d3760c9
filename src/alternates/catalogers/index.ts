import type { Cataloger } from './cataloger.ts';
import { deb } from './deb.ts';
import { files } from './files.ts';
import { rhui } from './rhui.ts';
import { yum } from './yum.ts';

/** Every cataloger of the streamer; add new ones here. */
export const CATALOGERS: readonly Cataloger[] = [yum, rhui(), files, deb];
