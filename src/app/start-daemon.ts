import type { startDaemon as start } from './daemon.ts';

/**
 * Starts the daemon, with its server, by settings (`settingsOf`). Rejects, with nothing left open,
 * if an address, a key or a file cannot be used. Its code is loaded only then: programs that embed
 * the streamer itself do not need it.
 */
export const startDaemon: typeof start = async (...given) => (await import('./daemon.ts')).startDaemon(...given);
