import { among, kept } from '../store/preferences.ts';

export const themes = ['system', 'light', 'dark'] as const;

export const theme = kept('theme', among(themes), 'system');

export function nextTheme(): void {
  theme.set(themes[(themes.indexOf(theme.get()) + 1) % themes.length] ?? 'system');
}

/** Applies the chosen theme, now and whenever it changes. */
export function showTheme(): void {
  const show = () => {
    document.documentElement.dataset['theme'] = theme.get();
  };
  show();
  theme.subscribe(show);
}
