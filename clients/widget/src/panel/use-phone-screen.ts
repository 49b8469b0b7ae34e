import type { RefObject } from 'preact';
import { useEffect } from 'preact/hooks';

/** Keeps the panel exactly in what the keyboard leaves of the screen. */
export function usePhoneScreen(panel: RefObject<HTMLElement | null>, active: boolean): void {
  useEffect(() => {
    const view = window.visualViewport;
    const style = panel.current?.style;
    if (!active || !view || !style) return;
    const fit = (): void => {
      style.setProperty('--top', `${view.offsetTop}px`);
      style.setProperty('--height', `${view.height}px`);
    };
    fit();
    view.addEventListener('resize', fit);
    view.addEventListener('scroll', fit);
    return () => {
      view.removeEventListener('resize', fit);
      view.removeEventListener('scroll', fit);
      style.removeProperty('--top');
      style.removeProperty('--height');
    };
  }, [panel, active]);
}
