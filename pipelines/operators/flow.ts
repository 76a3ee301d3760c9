import type { Observable } from 'rxjs';

/**
 * Whether a consumer wants more: `true` while it does, `false` while it does not. Emits its present state on subscription (a `BehaviorSubject`
 * does). It counts as open until it says otherwise, and its completion keeps its last state.
 */
export type Valve = Observable<boolean>;

/** A source that a valve steers: it emits, but for what is on its way already, only while the valve is open. */
export type Flow<T> = (valve: Valve) => Observable<T>;
