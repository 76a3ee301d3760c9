import { byId } from './dom.ts';

interface Actions {
  clear(): void;
  eventful(): void;
  hold(): void;
  /** Shows the span of this index. */
  span(index: number): void;
  history(): void;
  help(): void;
}

/** Everything by keyboard alone. */
export const onKeys = (actions: Actions): void => {
  const filter = byId('filter', HTMLInputElement);
  const dialog = byId('dialog', HTMLDialogElement);

  const move = (step: number): void => {
    const links = [...document.querySelectorAll<HTMLElement>('#streams li:not([hidden]) a')];
    const { activeElement } = document;
    const at = activeElement instanceof HTMLElement ? links.indexOf(activeElement) : -1;
    links[Math.max(0, Math.min(links.length - 1, at < 0 ? 0 : at + step))]?.focus();
  };

  const pressed = (key: string): boolean => {
    if (key === '/') filter.focus();
    else if (key === ' ') actions.hold();
    else if (key === 'e') actions.eventful();
    else if (key === 'h') actions.history();
    else if (key === '?') actions.help();
    else if (/^[123]$/.test(key)) actions.span(Number(key) - 1);
    else if (key === 'ArrowDown') move(1);
    else if (key === 'ArrowUp') move(-1);
    else if (key === 'Escape') actions.clear();
    else return false;
    return true;
  };

  addEventListener('keydown', (event) => {
    const { key, target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || dialog.open) return;
    if (target === filter) {
      if (key === 'Escape') actions.clear();
      else if (key === 'ArrowDown') move(1);
      return;
    }
    // Space presses a button that has the focus.
    if (key === ' ' && target instanceof HTMLButtonElement) return;
    if (pressed(key)) event.preventDefault();
  });
};
