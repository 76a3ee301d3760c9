import type { Observable } from 'rxjs';

/**
 * Whether a consumer wants more: `true` while it does, `false` while it does not. Emits its present
 * state on subscription, as a `BehaviorSubject` does. It counts as open until it emits `false`.
 * Its completion keeps its last state.
 */
export type Valve = Observable<boolean>;

/** A source that emits only while its valve is open, except for values already on their way. */
export type Flow<T> = (valve: Valve) => Observable<T>;
