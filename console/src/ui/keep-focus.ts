/**
 * Rows come and go under the focus. Where its element is taken away, the focus goes to the nearest place around it that is
 * still there, and not to the top of the document.
 */
export function keepFocus(root: HTMLElement): void {
  let around: HTMLElement[] = [];
  document.addEventListener('focusin', ({ target }) => {
    around = [];
    for (let at = target instanceof HTMLElement ? target : null; at; at = at.parentElement) {
      if (at.tabIndex >= 0 || at.hasAttribute('tabindex')) around.push(at);
    }
  });
  new MutationObserver(() => {
    if (document.activeElement !== document.body || around[0]?.isConnected !== false) return;
    around.find((place) => place.isConnected)?.focus({ preventScroll: true });
  }).observe(root, { childList: true, subtree: true });
}
