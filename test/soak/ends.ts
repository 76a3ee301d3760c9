/** The daemon with the embedded catalog, alone. Each cache in front of it is another end. */
export const ALONE = 'streamer';
/** The daemon of a site like Pulp 2's. */
export const PULP = 'streamer with MongoDB and RabbitMQ';

/** Whether clients reach this end through a cache. */
export const isCache = (end: string): boolean => end !== ALONE && end !== PULP;
